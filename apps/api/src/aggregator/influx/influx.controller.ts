import { Body, Controller, Get, Header, HttpCode, Post, Query, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@device-metrics/contract/openapi';
import { quote } from '@device-metrics/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Needs } from '../../access/needs.js';
import type { DirectAnswer, DirectRoute } from '../../http/direct.js';
import { Problem } from '../../http/problem.js';
import { Speaks } from '../../http/speaks.js';
import { version } from '../../version.js';
import { speaks, version1, version2, version3, type Dialect } from './dialect.js';
import { SenderQueries } from './query.js';
import { TakeLines } from './take-lines.js';

/** What senders take this server for: the last version of which they expect no more than is here. */
const AS_VERSION = '1.8.10';

const WRITTEN: DirectAnswer = { status: 204, headers: ['x-influxdb-version', AS_VERSION] };

type Parameters = Readonly<Record<string, string | string[] | undefined>>;

type LinesRequest = FastifyRequest<{ Querystring: Parameters }>;

/** InfluxDB's way to write, of its versions 1, 2 and 3: see docs/send. It is InfluxDB that documents it. */
@ApiExcludeController()
@Controller()
export class InfluxController {
  private readonly queries = new SenderQueries();
  private readonly version = version();
  private readonly startedAt = Date.now();

  constructor(private readonly lines: TakeLines) {}

  @Post('write')
  @Needs('samples:write')
  @Speaks(speaks(version1))
  @HttpCode(204)
  @Header('x-influxdb-version', AS_VERSION)
  async write(@Req() { body, query }: LinesRequest): Promise<void> {
    await this.take(body, query, version1);
  }

  @Post('api/v2/write')
  @Needs('samples:write')
  @Speaks(speaks(version2))
  @HttpCode(204)
  @Header('x-influxdb-version', AS_VERSION)
  async writeToBucket(@Req() { body, query }: LinesRequest): Promise<void> {
    await this.take(body, query, version2);
  }

  @Post('api/v3/write_lp')
  @Needs('samples:write')
  @Speaks(speaks(version3))
  @HttpCode(204)
  @Header('x-influxdb-version', AS_VERSION)
  async writeLines(@Req() { body, query }: LinesRequest): Promise<void> {
    await this.take(body, query, version3);
  }

  /** The same for bodies that come past the framework. */
  readonly direct: readonly DirectRoute[] = [
    this.directly('/write', version1),
    this.directly('/api/v2/write', version2),
    this.directly('/api/v3/write_lp', version3),
  ];

  private directly(path: string, dialect: Dialect): DirectRoute {
    return {
      path,
      types: [undefined, '', 'text/plain', 'text/plain; charset=utf-8'],
      speaks: speaks(dialect),
      take: async (bytes, { query, response }) => {
        try {
          await this.take(bytes, query, dialect);
        } catch (error) {
          response.setHeader('x-influxdb-version', AS_VERSION);
          throw error;
        }
        return WRITTEN;
      },
    };
  }

  @Get('ping')
  @Needs('open')
  @Header('x-influxdb-version', AS_VERSION)
  @Header('x-influxdb-build', 'OSS')
  ping(@Query() query: Parameters, @Res({ passthrough: true }) reply: FastifyReply): unknown {
    const verbose = one(query['verbose']);
    if (verbose !== undefined && verbose !== 'false' && verbose !== '0') return { version: AS_VERSION };
    void reply.status(204);
    return undefined;
  }

  @Get('health')
  @Needs('open')
  health(): unknown {
    const { version } = this;
    return {
      name: 'device-metrics',
      message: 'ready for writes',
      status: 'pass',
      checks: [],
      version: AS_VERSION,
      commit: version,
    };
  }

  /** openHAB stores nothing before it is ready. */
  @Get('ready')
  @Needs('open')
  ready(): unknown {
    const up = Math.floor((Date.now() - this.startedAt) / 1000);
    return { status: 'ready', started: new Date(this.startedAt).toISOString(), up: `${up}s` };
  }

  @Get('query')
  @Needs('samples:write')
  @Speaks(speaks(version1))
  @Header('x-influxdb-version', AS_VERSION)
  query(@Query() query: Parameters): unknown {
    return this.answer(one(query['q']), one(query['db']));
  }

  @Post('query')
  @Needs('samples:write')
  @Speaks(speaks(version1))
  @HttpCode(200)
  @Header('x-influxdb-version', AS_VERSION)
  async postQuery(
    @Query() query: Parameters,
    @Body() body: unknown,
    @Req() { headers }: FastifyRequest,
  ): Promise<unknown> {
    return this.answer(await queryOf(one(query['q']), headers['content-type'] ?? '', body), one(query['db']));
  }

  private answer(query: string | undefined, database: string | undefined): unknown {
    if (query === undefined || query.trim() === '') {
      throw new Problem('invalid-input', 'missing required parameter "q"');
    }
    return this.queries.answer(query, database);
  }

  private async take(body: unknown, query: Parameters, dialect: Dialect): Promise<void> {
    const { precisions } = dialect;
    const said = one(query['precision']) || dialect.precision;
    const precision = Object.hasOwn(precisions, said) ? precisions[said] : undefined;
    if (!precision) {
      const allowed = Object.keys(precisions).join(', ');
      throw new Problem('invalid-input', `invalid precision: must be one of ${allowed}, got ${quote(said)}`);
    }
    if (!(body instanceof Uint8Array) || body.length === 0) return;
    const notStored = await this.lines.take(body, one(query[dialect.database]) ?? '', precision);
    if (notStored.count > 0) throw dialect.partial(notStored, body);
  }
}

/**
 * The query of a POST, which InfluxDB takes from the address or a form: one in a form goes before that of the address, and after it
 * where the form has parts, one of which may be a file.
 */
async function queryOf(ofAddress: string | undefined, type: string, body: unknown): Promise<string | undefined> {
  const [, kind] = /^\s*(application\/x-www-form-urlencoded|multipart\/form-data)\s*(?:;|$)/i.exec(type) ?? [];
  if (kind === undefined || !(body instanceof Uint8Array)) return ofAddress;
  if (kind.toLowerCase() !== 'multipart/form-data')
    return new URLSearchParams(Buffer.from(body).toString('utf8')).get('q') ?? ofAddress;
  if (ofAddress) return ofAddress;
  const form = await new Response(body, { headers: { 'content-type': type } }).formData().catch(() => undefined);
  const query = form?.get('q');
  return typeof query === 'object' ? query?.text() : query;
}

const one = (parameter: string | string[] | undefined): string | undefined =>
  Array.isArray(parameter) ? parameter[0] : parameter;
