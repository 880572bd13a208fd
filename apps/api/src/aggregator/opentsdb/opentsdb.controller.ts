import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@device-metrics/contract/openapi';
import type { Candidate } from '@device-metrics/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Needs } from '../../access/needs.js';
import { Problem } from '../../http/problem.js';
import { Speaks, type Written } from '../../http/speaks.js';
import { ApiMetrics } from '../../monitoring/api-metrics.js';
import { apiConfig, type ApiConfig } from '../../settings.js';
import { Accept, assertNoneForNow } from '../accept.js';
import { candidateOf } from './data-points.js';

/** Points of one request: they are decoded in one piece. */
const MOST_POINTS = 20_000;

/** How many of the points that were refused an answer names. */
const MOST_NAMED = 20;

type PutRequest = FastifyRequest<{ Querystring: Readonly<Record<string, unknown>> }>;

interface Fault {
  readonly point: number;
  readonly reason: string;
}

/** OpenTSDB's way to write over HTTP: see docs/send. It is OpenTSDB that documents it. */
@ApiExcludeController()
@Controller('api/put')
export class OpenTsdbController {
  constructor(
    private readonly gate: Accept,
    private readonly metrics: ApiMetrics,
    @Inject(apiConfig.KEY) private readonly config: ApiConfig,
  ) {}

  @Post()
  @Needs('samples:write')
  @Speaks({ parsesJson: true, problem: errorOf })
  async put(@Req() { body, query }: PutRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<unknown> {
    const points: unknown[] = Array.isArray(body) ? body : [body];
    if (Buffer.isBuffer(body)) throw new Problem('unsupported-content', 'The content type must be application/json.');
    if (points.length > MOST_POINTS) {
      throw new Problem(
        'batch-too-long',
        `The body must have at most ${MOST_POINTS} data points, got ${points.length}.`,
      );
    }
    const { success, faults } = await this.store(points);
    const failed = faults.length;
    const asks = (what: string): boolean => query[what] !== undefined;
    if (failed === 0 && !asks('details') && !asks('summary')) {
      void reply.status(204);
      return undefined;
    }
    const errors = faults
      .slice(0, MOST_NAMED)
      .map(({ point, reason }) => ({ datapoint: points[point], error: `data point ${point}: ${reason}` }));
    const answer = { success, failed, ...(asks('details') && { errors }) };
    if (failed === 0) {
      void reply.status(200);
      return answer;
    }
    const rest = success > 0 ? ', and the others are stored' : '';
    const named = errors.map(({ error }) => error).join('; ');
    throw new Problem('invalid-input', `${failed} of ${points.length} data points were refused${rest}. ${named}`, {
      ...((asks('details') || asks('summary')) && { extensions: { answer } }),
    });
  }

  /** How many points are on disk, and why the others are not. */
  private async store(points: readonly unknown[]): Promise<{ readonly success: number; readonly faults: Fault[] }> {
    const receipt = await this.gate.receipt('opentsdb');
    const { deviceTags } = this.config.influx;
    const faults: Fault[] = [];
    const samples: Candidate[] = [];
    const places: number[] = [];
    points.forEach((one, point) => {
      const candidate = candidateOf(one, deviceTags);
      if (typeof candidate === 'string') return void faults.push({ point, reason: candidate });
      samples.push(candidate);
      places.push(point);
    });
    this.metrics.itemsRejected.inc({ protocol: receipt.protocol }, faults.length);
    const answer = await this.gate.accept({ samples }, receipt);
    assertNoneForNow(answer, 'data points');
    for (const { item, field, reason } of answer.rejected) {
      faults.push({ point: places[item] as number, reason: `${field} ${reason}` });
    }
    return { success: answer.accepted, faults: faults.sort((a, b) => a.point - b.point) };
  }
}

function errorOf(problem: Problem): Written {
  const answer = problem.extras.extensions?.['answer'];
  const error = { code: problem.getStatus(), message: problem.message };
  return { contentType: 'application/json; charset=utf-8', body: JSON.stringify(answer ?? { error }) };
}
