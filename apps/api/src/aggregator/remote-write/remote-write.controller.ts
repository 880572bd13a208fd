import type { IncomingHttpHeaders } from 'node:http';
import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiNoContentResponse, ApiOperation, ApiTags } from '@device-metrics/contract/openapi';
import { finishInSlices, type NamedSeries } from '@device-metrics/domain';
import {
  ProtobufError,
  SnappyError,
  unsnap,
  writeRequestPieces,
  writeRequestV2Pieces,
  type BodyKeys,
  type MetricMetadata,
  type WriteRequest,
} from '@device-metrics/formats';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Needs } from '../../access/needs.js';
import type { DirectRoute } from '../../http/direct.js';
import { MAX_BODY } from '../../http/limits.js';
import { ApiProblems } from '../../http/openapi.js';
import { Problem } from '../../http/problem.js';
import { Speaks } from '../../http/speaks.js';
import { ApiMetrics } from '../../monitoring/api-metrics.js';
import { MetricDescriptions } from '../../metadata/metric-descriptions.js';
import { Accept, assertNoneForNow } from '../accept.js';
import { Refusals } from '../refusals.js';
import { SpareBytes, SparePool } from '../spare-memory.js';
import { TakeEnds } from '../take-ends.js';
import { versionOf } from './version-of.js';
import { WrittenSeries } from './written-series.js';

const HISTOGRAMS =
  'native histograms are not taken: send classic ones, by send_native_histograms: false in remote_write of Prometheus';

type SetHeader = (name: string, value: number) => void;

/** Prometheus remote write 1.0 and 2.0, as https://prometheus.io/docs/specs/prw/ says. */
@ApiTags('aggregator')
@Controller('api/v1/write')
export class RemoteWriteController {
  private readonly describe = (said: MetricMetadata): void => this.series.describe(said);
  private readonly spareBytes = new SpareBytes();
  private readonly spareColumns = new SparePool();

  constructor(
    private readonly gate: Accept,
    private readonly series: WrittenSeries,
    private readonly ends: TakeEnds,
    private readonly descriptions: MetricDescriptions,
    private readonly metrics: ApiMetrics,
  ) {}

  @Post()
  @Needs('samples:write')
  @Speaks({
    encodings: ['snappy'],
    // Senders write its first line to their log.
    problem: ({ message }) => ({ contentType: 'text/plain; charset=utf-8', body: message }),
  })
  @HttpCode(204)
  @ApiOperation({
    summary: 'Prometheus remote write, 1.0 and 2.0',
    description:
      'For Prometheus, Grafana Alloy, vmagent, Telegraf and others; docs/send/ says how to set them up. The body is ' +
      '`prometheus.WriteRequest` or `io.prometheus.write.v2.Request`, as the content type says, in the block format of Snappy. ' +
      'Errors are text. Of a request with samples that are refused the others are stored, and the answer is 400.',
  })
  @ApiConsumes('application/x-protobuf')
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiNoContentResponse({ description: 'All of it is on disk, fsynced. The headers say how much there was.' })
  @ApiProblems({
    400: '1 of 500 samples were refused, and the others are stored. 1: value must be a finite number, got Infinity, in "queue_limit" of "web-1"',
    413: `The body must have at most ${MAX_BODY} bytes, after decompression.`,
    415: 'The content encoding must be snappy, got gzip.',
    'too-many-series': '1 of 500 samples are not stored yet: device "lab-pc-1" may have …',
    'disk-full': 'The disk of the server is full: nothing of this request was stored.',
  })
  async write(
    @Req() { headers, body }: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    await this.take(body, headers, (name, value) => void reply.header(name, value));
  }

  /** The same for bodies that come past the framework. */
  readonly direct: readonly DirectRoute[] = [
    {
      path: '/api/v1/write',
      types: ['application/x-protobuf', 'application/x-protobuf;proto=io.prometheus.write.v2.Request'],
      encoding: 'snappy',
      take: async (bytes, { request, response }) => {
        await this.take(bytes, request.headers, (name, value) => void response.setHeader(name, value));
        return { status: 204, headers: [] };
      },
    },
  ];

  /** @param setHeader of the answer, whatever comes of it. */
  private async take(body: unknown, headers: IncomingHttpHeaders, setHeader: SetHeader): Promise<void> {
    const version = versionOf(headers);
    const receipt = await this.gate.receipt('remote-write');
    const known = this.series.ofBody();
    const request = await this.decode(body instanceof Uint8Array ? body : new Uint8Array(), version, known);
    await this.descriptions.save();
    const refusals = new Refusals();
    for (const { reason, samples } of request.unreadable) refusals.add(reason, samples);
    for (const { count } of request.histograms) refusals.add(HISTOGRAMS, count);
    this.metrics.itemsRejected.inc({ protocol: 'remote-write' }, refusals.count);
    this.metrics.exemplarsIgnored.inc({ protocol: 'remote-write' }, request.exemplars);
    sayWritten(setHeader, 0);
    const answer = await this.gate.acceptColumns(request, receipt);
    // Stored, or the call has thrown: nobody looks at the columns any more.
    this.spareColumns.giveBack(request);
    await known.keep(({ isStored }) => isStored);
    refusals.addAll(answer.rejected);
    const written = answer.accepted + (await this.ends.take(request.withoutValue, receipt, refusals));
    sayWritten(setHeader, written);
    assertNoneForNow(answer, 'samples');
    if (refusals.count > 0) throw new Problem('invalid-input', refusals.text('samples', written));
  }

  /** @throws Problem, a 400 or 413, where the body is not what its headers say. */
  private async decode(
    body: Uint8Array,
    version: 1 | 2,
    known: BodyKeys<NamedSeries>,
  ): Promise<WriteRequest<NamedSeries>> {
    const decode = version === 1 ? writeRequestPieces : writeRequestV2Pieces;
    try {
      const bytes = unsnap(body, MAX_BODY, this.spareBytes.take());
      const request = await finishInSlices(
        decode<NamedSeries>(bytes, {
          series: (labels, start, end) => this.series.of(known, labels, start, end),
          metadata: this.describe,
          spare: this.spareColumns.take(),
        }),
        undefined,
        () => known.size,
      );
      this.spareBytes.giveBack(bytes);
      return request;
    } catch (error) {
      if (error instanceof SnappyError) {
        if (error.isTooLong)
          throw new Problem('body-too-large', `The body must have at most ${MAX_BODY} bytes: ${error.message}.`);
        throw new Problem('unreadable-body', `The body must be in Snappy's block format: ${error.message}.`);
      }
      if (error instanceof ProtobufError) {
        throw new Problem('unreadable-body', `The body must be a write request in Protocol Buffers: ${error.message}.`);
      }
      throw error;
    }
  }
}

/** How much of a request is stored, which every answer says from the time on when it has been understood. */
function sayWritten(setHeader: SetHeader, samples: number): void {
  setHeader('x-prometheus-remote-write-samples-written', samples);
  setHeader('x-prometheus-remote-write-histograms-written', 0);
  setHeader('x-prometheus-remote-write-exemplars-written', 0);
}
