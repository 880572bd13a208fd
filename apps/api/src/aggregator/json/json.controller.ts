import { Body, Controller, HttpCode, Post, Req } from '@nestjs/common';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  getSchemaPath,
} from '@device-metrics/contract/openapi';
import {
  BatchResultDto,
  BatchShapeError,
  BatchTooLongError,
  decodeCandidates,
  DeviceReadingDto,
  MetricDto,
  rejectedItems,
  RunDto,
  toRfc3339,
  type BatchCandidates,
} from '@device-metrics/contract';
import type { FastifyRequest } from 'fastify';
import { Needs } from '../../access/needs.js';
import type { DirectRoute } from '../../http/direct.js';
import { JsonBody, ReadsJson } from '../../http/json-body.js';
import { ApiProblems, BAD_BODY } from '../../http/openapi.js';
import { invalidInput, Problem } from '../../http/problem.js';
import { ApiMetrics } from '../../monitoring/api-metrics.js';
import { Accept, assertNoneForNow, type ProtocolReceipt } from '../accept.js';
import { SparePool } from '../spare-memory.js';
import { batchExamples, metricExamples } from './examples.js';
import { BatchScanner } from './scan-batch.js';

/** What is remembered of names, so that the series of an item are found by its bytes. */
const MOST_SERIES = 300_000;

/** The JSON protocol, version 1: see "Send a metric" in the README. */
@ApiTags('aggregator')
@ApiProblems({
  ...BAD_BODY,
  'disk-full': 'The disk of the server is full: nothing of this request was stored.',
})
@Controller('api/v1/aggregator/metrics')
export class JsonController {
  private readonly scanner = new BatchScanner(MOST_SERIES);
  private readonly spare = new SparePool();

  constructor(
    private readonly gate: Accept,
    private readonly metrics: ApiMetrics,
  ) {}

  @Post()
  @Needs('samples:write')
  @ApiOperation({ summary: 'Store one sample', description: 'The answer is the sample as it was stored.' })
  @ApiBody({ type: MetricDto, examples: metricExamples })
  @ApiCreatedResponse({ type: MetricDto })
  @ApiProblems({ 400: 'value must be a finite number, got "warm"' })
  async postMetric(@Body() metric: MetricDto): Promise<MetricDto> {
    const receipt = await this.gate.receipt('json');
    const candidates = await this.decode([metric], receipt);
    const time = candidates.samples[0]?.timestamp;
    const { rejected } = await this.store([metric], candidates, receipt);
    if (rejected.length > 0) throw invalidInput(rejected);
    return { ...metric, timestamp: toRfc3339(time as number) };
  }

  @Post('batch')
  @ReadsJson()
  @Needs('samples:write')
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
  async postBatch(@Req() { body }: FastifyRequest): Promise<BatchResultDto> {
    return this.takeBatch(body);
  }

  /** The same for bodies that come past the framework. */
  readonly direct: readonly DirectRoute[] = [
    {
      path: '/api/v1/aggregator/metrics/batch',
      types: ['application/json', 'application/json; charset=utf-8'],
      take: async (bytes, { json }) => ({
        status: 200,
        headers: ['content-type', 'application/json; charset=utf-8'],
        body: JSON.stringify(await this.takeBatch(json(bytes))),
      }),
    },
  ];

  private async takeBatch(body: unknown): Promise<BatchResultDto> {
    const receipt = await this.gate.receipt('json');
    const scanned = body instanceof JsonBody ? await this.storeScanned(body, receipt) : undefined;
    const { accepted, rejected } = scanned ?? (await this.storeParsed(body, receipt));
    if (accepted === 0) {
      const errors = rejected.map(({ index, field, reason }) => ({
        field: `metrics[${index}]${field && `.${field}`}`,
        reason,
      }));
      throw invalidInput(errors, { accepted, rejected });
    }
    return { accepted, rejected };
  }

  private async storeParsed(body: unknown, receipt: ProtocolReceipt): Promise<BatchResultDto> {
    const parsed = body instanceof JsonBody ? await body.parse() : body;
    return this.store(parsed, await this.decode(parsed, receipt), receipt);
  }

  /** A batch whose form is as usual, without an object for each sample; undefined where it is not. */
  private async storeScanned(body: JsonBody, receipt: ProtocolReceipt): Promise<BatchResultDto | undefined> {
    const batch = await this.scanner.scan(body.bytes, receipt.receivedAt, this.spare.take());
    if (!batch) return undefined;
    const answer = await this.gate.acceptColumns(batch, receipt);
    // Stored, or the call has thrown: nobody looks at the columns any more.
    this.spare.giveBack(batch);
    await this.scanner.keep(batch);
    assertNoneForNow(answer, 'items');
    const { accepted } = answer;
    if (answer.rejected.length === 0) return { accepted, rejected: [] };
    return { accepted, rejected: await rejectedItems(await body.parse(), { malformed: [] }, answer.rejected, receipt) };
  }

  private async decode(body: unknown, receipt: ProtocolReceipt): Promise<BatchCandidates> {
    try {
      return await decodeCandidates(body, receipt);
    } catch (error) {
      if (error instanceof BatchShapeError) throw new Problem('unreadable-body', error.message);
      if (error instanceof BatchTooLongError) throw new Problem('batch-too-long', error.message);
      throw error;
    }
  }

  /** Hands the candidates to the gate, and gives its answer in the words of the wire format. */
  private async store(body: unknown, candidates: BatchCandidates, receipt: ProtocolReceipt): Promise<BatchResultDto> {
    const items = candidates.ends.length;
    this.metrics.itemsRejected.inc({ protocol: receipt.protocol }, candidates.malformed.length);
    const answer = await this.gate.accept(candidates, receipt);
    assertNoneForNow(answer, 'items');
    const rejected = await rejectedItems(body, candidates, answer.rejected, receipt);
    return { accepted: items - rejected.length, rejected };
  }
}
