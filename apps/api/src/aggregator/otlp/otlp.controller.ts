import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiTags } from '@device-metrics/contract/openapi';
import { finishInSlices, SeriesGroup, timeRule } from '@device-metrics/domain';
import { metricsFromJson, MetricsDecoder, OtlpJsonError, ProtobufError } from '@device-metrics/formats';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Needs } from '../../access/needs.js';
import type { DirectRoute } from '../../http/direct.js';
import { MAX_BODY } from '../../http/limits.js';
import { ApiProblems } from '../../http/openapi.js';
import { Problem } from '../../http/problem.js';
import { Speaks, type Written } from '../../http/speaks.js';
import { ApiMetrics } from '../../monitoring/api-metrics.js';
import { MetricDescriptions } from '../../metadata/metric-descriptions.js';
import { Accept, assertNoneForNow, type ProtocolReceipt } from '../accept.js';
import { Refusals } from '../refusals.js';
import { SparePool } from '../spare-memory.js';
import { TakeEnds } from '../take-ends.js';
import { isJson, JSON_TYPE, PROTOBUF, responseOf, statusOf } from './answer.js';
import { DeltaSums } from './delta-sums.js';
import { OtlpNames, valueOf, type OtlpSeries } from './otlp-series.js';
import { RequestPoints, type PointSample } from './points.js';

/** Series that are known by their bytes: those of 5,000 devices. */
const MOST_SERIES = 500_000;

type PointsRequest = Pick<FastifyRequest, 'headers' | 'body'>;

/** OTLP/HTTP for metrics, as https://opentelemetry.io/docs/specs/otlp/ says. */
@ApiTags('aggregator')
@Controller('v1/metrics')
export class OtlpController {
  private readonly decoder: MetricsDecoder<OtlpSeries, SeriesGroup>;
  private readonly spare = new SparePool();

  constructor(
    private readonly gate: Accept,
    private readonly deltas: DeltaSums,
    private readonly ends: TakeEnds,
    private readonly metrics: ApiMetrics,
    private readonly descriptions: MetricDescriptions,
    names: OtlpNames,
  ) {
    this.decoder = new MetricsDecoder(
      (...named) => names.seriesOf(...named),
      (series, again) => new SeriesGroup(series.map(valueOf), () => again().map(valueOf)),
      MOST_SERIES,
    );
  }

  @Post()
  @Needs('samples:write')
  @Speaks({ parsesJson: true, problem: statusOf })
  @HttpCode(200)
  @ApiOperation({
    summary: 'Metrics of OpenTelemetry (OTLP/HTTP)',
    description:
      'For OpenTelemetry Collectors and SDKs; docs/send/ says how to set them up. The body is `ExportMetricsServiceRequest`, ' +
      'in Protocol Buffers or JSON, also with gzip, and the answer has the same form. Each point is stored whole or refused ' +
      'whole; `partialSuccess` says how many were refused, and why. Errors are `google.rpc.Status`.',
  })
  @ApiConsumes(JSON_TYPE, PROTOBUF)
  @ApiBody({
    schema: { type: 'object' },
    examples: {
      gauge: {
        value: {
          resourceMetrics: [
            {
              resource: { attributes: [{ key: 'host.name', value: { stringValue: 'lab-pc-1' } }] },
              scopeMetrics: [
                {
                  metrics: [
                    {
                      name: 'hw.temperature',
                      unit: 'Cel',
                      gauge: { dataPoints: [{ timeUnixNano: `${Date.now()}000000`, asDouble: 48.5 }] },
                    },
                  ],
                },
              ],
            },
          ],
        },
      },
    },
  })
  @ApiOkResponse({
    description: 'On disk, fsynced, but for the points that were refused.',
    schema: { type: 'object', example: {} },
  })
  @ApiProblems({
    400: 'resourceMetrics must be an array, got {}',
    413: `The body must have at most ${MAX_BODY} bytes, after decompression.`,
    415: 'The content type must be application/x-protobuf or application/json, got text/plain.',
    'too-many-series': '1 of 500 points are not stored yet: device "lab-pc-1" may have …',
    'disk-full': 'The disk of the server is full: nothing of this request was stored.',
  })
  async export(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    const { contentType, body } = await this.take(request);
    void reply.header('content-type', contentType);
    return body;
  }

  /** The same for bodies that come past the framework. */
  readonly direct: readonly DirectRoute[] = [
    {
      path: '/v1/metrics',
      types: [PROTOBUF, JSON_TYPE],
      take: async (bytes, { request, json }) => {
        const given = { headers: request.headers, body: isJson(request) ? await json(bytes).parse() : bytes };
        const { contentType, body } = await this.take(given);
        return { status: 200, headers: ['content-type', contentType], body };
      },
    },
  ];

  private async take(request: PointsRequest): Promise<Written> {
    const receipt = { ...(await this.gate.receipt('otlp')), timeUnit: 'ns' as const };
    const points = await this.decode(request);
    await this.descriptions.save();
    this.metrics.exemplarsIgnored.inc({ protocol: 'otlp' }, points.exemplars);
    this.metrics.itemsRejected.inc({ protocol: 'otlp' }, points.refusals.count);
    const accepted = await this.store(points, receipt);
    const { refusals, withoutValue } = points;
    const stored = accepted + (await this.ends.take(withoutValue, receipt, refusals));
    if (refusals.count > 0 && stored === 0) throw new Problem('invalid-input', refusals.text('points', 0));
    return responseOf(refusals.count, refusals.count > 0 ? refusals.text('points', stored) : '', request);
  }

  /** @throws Problem, a 400 or 415, where the body is not what its headers say. */
  private async decode(request: PointsRequest): Promise<RequestPoints> {
    const type = request.headers['content-type'];
    const isProtobuf = /^\s*application\/x-protobuf\s*(;|$)/i.test(type ?? '');
    if (!isProtobuf && !isJson(request)) {
      const detail = `The content type must be ${PROTOBUF} or ${JSON_TYPE}, got ${type ?? 'none'}.`;
      throw new Problem('unsupported-content', detail);
    }
    const refusals = new Refusals();
    try {
      const { body } = request;
      const bytes = isProtobuf
        ? ((body as Uint8Array | undefined) ?? new Uint8Array())
        : metricsFromJson(body, (reason, count) => refusals.add(reason, count));
      const named = this.decoder.seriesOfBody();
      const points = new RequestPoints(refusals, bytes.length, named, this.spare.take());
      await finishInSlices(this.decoder.pieces(bytes, points, named), undefined, () => named.size);
      return points;
    } catch (error) {
      if (error instanceof OtlpJsonError) throw new Problem('unreadable-body', `${error.message}.`);
      if (error instanceof ProtobufError) {
        const detail = `The body must be ExportMetricsServiceRequest in Protocol Buffers: ${error.message}.`;
        throw new Problem('unreadable-body', detail);
      }
      throw error;
    }
  }

  /** How many points were stored; the others are noted in their refusals. */
  private async store(points: RequestPoints, receipt: ProtocolReceipt): Promise<number> {
    if (points.deltas.length === 0) return this.accept(points, receipt);
    return this.deltas.inTurn(async () => {
      const summable: PointSample[][] = [];
      for (const samples of points.deltas) {
        if (isSummable(samples, receipt)) summable.push(samples.map((sample) => ofSender(sample, receipt)));
        else points.add(samples);
      }
      for (const samples of await this.deltas.samplesOf(summable)) points.add(samples);
      return this.accept(points, receipt);
    });
  }

  private async accept(points: RequestPoints, receipt: ProtocolReceipt): Promise<number> {
    const { refusals, named } = points;
    const columns = await points.columns();
    const answer = await this.gate.acceptColumns(columns, receipt);
    // Stored, or the call has thrown: nobody looks at the columns any more.
    this.spare.giveBack(columns);
    await named.keep(({ isStored }) => isStored);
    assertNoneForNow(answer, 'points');
    refusals.addAll(answer.rejected);
    return answer.accepted;
  }
}

/** Whether the gate will take what becomes of a delta: what it refuses must not be in any sum. */
function isSummable(samples: readonly PointSample[], { receivedAt, oldest, deviceOf }: ProtocolReceipt): boolean {
  const isTime = timeRule(() => receivedAt, oldest);
  return samples.every(
    ({ series, time, value }) =>
      series.fault === undefined &&
      Number.isFinite(value) &&
      isTime(time) === undefined &&
      typeof (deviceOf?.(series.deviceName) ?? '') === 'string',
  );
}

function ofSender(sample: PointSample, { deviceOf }: ProtocolReceipt): PointSample {
  const { series } = sample;
  const device = deviceOf?.(series.deviceName);
  return typeof device === 'string' ? { ...sample, series: series.as(device, series.unit) } : sample;
}
