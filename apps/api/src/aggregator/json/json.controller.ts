import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import {
  BatchResultDto,
  BatchShapeError,
  BatchTooLongError,
  decodeBatch,
  DeviceReadingDto,
  MetricDto,
  RunDto,
  toRfc3339,
  type DecodedBatch,
} from '@device-metrics/contract';
import { ApiProblems, BAD_BODY } from '../../http/openapi.js';
import { invalidInput, Problem } from '../../http/problem.js';
import { ApiMetrics } from '../../monitoring/api-metrics.js';
import { StoreSamples } from '../store-samples.js';
import { batchExamples, metricExamples } from './examples.js';

/** The JSON protocol, version 1: see "Send a metric" in the README. */
@ApiTags('aggregator')
@ApiProblems({
  ...BAD_BODY,
  503: 'The disk of the server is full: nothing of this request was stored.',
})
@Controller('api/v1/aggregator/metrics')
export class JsonController {
  constructor(
    private readonly storeSamples: StoreSamples,
    private readonly metrics: ApiMetrics,
  ) {}

  @Post()
  @ApiOperation({ summary: 'Store one sample', description: 'The answer is the sample as it was stored.' })
  @ApiBody({ type: MetricDto, examples: metricExamples })
  @ApiCreatedResponse({ type: MetricDto })
  @ApiProblems({ 400: 'value must be a finite number, got "warm"' })
  async postMetric(@Body() metric: MetricDto): Promise<MetricDto> {
    const { samples, rejected } = this.decode([metric]);
    if (rejected.length > 0) throw invalidInput(rejected);
    await this.storeSamples.store(samples);
    return { ...metric, ...(samples[0] && { timestamp: toRfc3339(samples[0].timestamp) }) };
  }

  @Post('batch')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Store a batch',
    description:
      'An array of items, bare or as `metrics`. An item is a metric, a run (`samples`: many samples of one series) or a ' +
      'reading of one device (`values`: many metrics at one time). Each item is stored whole or refused whole; good ' +
      'items are stored though others are bad. At most 20,000 items. `Content-Encoding: gzip` is understood.',
  })
  @ApiExtraModels(MetricDto, RunDto, DeviceReadingDto)
  @ApiBody({
    schema: {
      type: 'object',
      required: ['metrics'],
      properties: {
        metrics: {
          type: 'array',
          minItems: 1,
          items: { oneOf: [MetricDto, RunDto, DeviceReadingDto].map((dto) => ({ $ref: getSchemaPath(dto) })) },
        },
      },
    },
    examples: batchExamples,
  })
  @ApiOkResponse({ type: BatchResultDto })
  @ApiProblems({ 400: 'metrics[0].value must be a finite number, got "warm"' })
  async postBatch(@Body() body: unknown): Promise<BatchResultDto> {
    const { samples, accepted, rejected } = this.decode(body);
    this.metrics.itemsRejected.inc(rejected.length);
    if (accepted === 0) {
      const errors = rejected.map(({ index, field, reason }) => ({
        field: `metrics[${index}]${field && `.${field}`}`,
        reason,
      }));
      throw invalidInput(errors, { accepted, rejected });
    }
    await this.storeSamples.store(samples);
    return { accepted, rejected };
  }

  private decode(body: unknown): DecodedBatch {
    try {
      return decodeBatch(body, Date.now(), this.storeSamples.oldestTimestamp());
    } catch (error) {
      if (error instanceof BatchShapeError) throw new Problem(400, error.message);
      if (error instanceof BatchTooLongError) throw new Problem(413, error.message);
      throw error;
    }
  }
}
