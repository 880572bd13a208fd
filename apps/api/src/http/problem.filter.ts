import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { quote } from '@device-metrics/contract';
import { QueryRefusal } from '@device-metrics/query';
import {
  asRefusal,
  asUnavailable,
  StoreFullError,
  StoreUnavailableError,
  TooManySeriesError,
} from '@device-metrics/storage';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { MAX_BODY, MAX_PATH_PART } from './limits.js';
import type { ProblemType } from './problem-types.js';
import { invalidInput, Problem, PROBLEM_JSON } from './problem.js';
import { setSecurityHeaders } from './security-headers.js';

declare module 'fastify' {
  interface FastifyReply {
    /** The code of the problem that it is, for the metrics. */
    problem?: ProblemType;
  }
}

/** Turns everything that is thrown on the way to an answer into `application/problem+json`. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('api');
  /** Of the database, what was said last. */
  private said: string | undefined;

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = problemOf(error, request);
    // Who asked and has gone is no failure.
    const isLeft =
      (error as { code?: unknown } | null)?.code === 'ERR_STREAM_PREMATURE_CLOSE' && request.raw.socket.destroyed;
    if (problem.getStatus() === 500 && !isLeft) {
      this.logger.error(
        `${request.method} ${pathOf(request.url)}`,
        error instanceof Error ? error.stack : String(error),
      );
    }
    // What the store of samples finds it says itself.
    if (asRefusal(error) !== error) this.sayOnce(problem.message);
    // Otherwise the connection ends while the client still writes, and it never sees why.
    if (problem.getStatus() === 413) void reply.removeHeader('connection');
    if (problem.getStatus() === 401) void reply.header('www-authenticate', 'Bearer realm="device-metrics"');
    sendProblem(problem, reply);
  }

  private sayOnce(problem: string): void {
    if (problem !== this.said) this.logger.error(problem);
    this.said = problem;
  }
}

/**
 * What the router refuses before any call is found, which no filter sees. A person who follows a broken link to a device
 * comes to the page that says that there is none.
 */
export function refuseAddress({ statusCode }: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const path = pathOf(request.url);
  setSecurityHeaders(reply.raw);
  if (statusCode !== 414 && path.startsWith('/devices/') && request.headers.accept?.includes('text/html')) {
    return void reply.redirect(path.replaceAll('%', '%25'));
  }
  const problem =
    statusCode === 414
      ? addressTooLong(request)
      : new Problem(
          'unreadable-address',
          `The path must be UTF-8 with % and two digits for each byte that is escaped, got ${quote(path)}.`,
        );
  sendProblem(problem, reply);
}

export const addressTooLong = ({ url }: FastifyRequest): Problem =>
  new Problem(
    'address-too-long',
    `A part of the path must have at most ${MAX_PATH_PART} characters, got ${quote(pathOf(url))}.`,
  );

/** Answers a problem where Nest has no part in it. */
export function sendProblem(problem: Problem, reply: FastifyReply): void {
  reply.problem = problem.type;
  // Also of a file that would be kept for ever: it may come with the next version.
  void reply.header('cache-control', 'no-store');
  if (problem.extras.retryAfter !== undefined) void reply.header('retry-after', problem.extras.retryAfter);
  const { request } = reply;
  const { contentType, body } = request.routeOptions?.config?.speaks?.problem(problem, request) ?? {
    contentType: PROBLEM_JSON,
    body: JSON.stringify(problem.body()),
  };
  void reply.status(problem.getStatus()).header('content-type', contentType).send(body);
}

function problemOf(thrown: unknown, request: FastifyRequest): Problem {
  if (thrown instanceof Problem) return thrown;
  const error = asUnavailable(asRefusal(thrown));
  if (error instanceof QueryRefusal) return invalidInput([{ field: error.field, reason: error.reason }]);
  if (error instanceof StoreFullError) {
    return new Problem('disk-full', 'The disk of the server is full: nothing of this request was stored.', {
      retryAfter: 30,
    });
  }
  if (error instanceof StoreUnavailableError) {
    return new Problem('database-unavailable', `The database cannot be used now: ${error.message}.`, { retryAfter: 2 });
  }
  if (error instanceof TooManySeriesError) {
    const detail = `Nothing of this request was stored: ${error.message}.`;
    return new Problem('too-many-series', detail, { retryAfter: 60 });
  }
  const status = statusOf(error);
  if (status === 404) return noRoute(request);
  if (status >= 400 && status < 500) return clientMistake(status, error as Error, request);
  return new Problem('server-failure', 'The server failed; its log says why.');
}

/** Node quotes what stands around a mistake in JSON, which may be a password. */
const withoutBody = (message: string): string => message.replace(/, (\.\.\.)?".*"(\.\.\.)? is not valid JSON$/s, '');

/** Whether a body could not even be decompressed. */
const isOfCompression = (error: Error): boolean => String((error as { code?: unknown }).code).startsWith('Z_');

/** Without the query: some programs write passwords there. */
const pathOf = (url: string): string => url.split('?', 1)[0] ?? '';

/** The answer to a call that there is not. */
export const noRoute = ({ method, url }: FastifyRequest): Problem =>
  new Problem('unknown-address', `There is no ${method} ${pathOf(url).slice(0, 200)}; /docs lists what there is.`);

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : 500;
}

/** What the parser of the request could not take, in words that say what is allowed. */
function clientMistake(status: number, error: Error, request: FastifyRequest): Problem {
  const { speaks } = request.routeOptions.config;
  switch (status) {
    case 413:
      return new Problem('body-too-large', `The body must have at most ${MAX_BODY} bytes, after decompression.`);
    case 415:
      return new Problem(
        'unsupported-content',
        `The content type must be ${speaks ? 'a media type' : 'application/json'}, got ${request.headers['content-type'] || 'none'}.`,
      );
    case 400: {
      const isOtherwise = (speaks && !speaks.parsesJson) || isOfCompression(error);
      return new Problem(
        'unreadable-body',
        `The body could not be read${isOtherwise ? '' : ', it must be valid JSON'}: ${withoutBody(error.message)}`,
      );
    }
    default:
      return new Problem('request-refused', error.message, { status });
  }
}
