import type { FastifyRequest } from 'fastify';
import { ProtoWriter } from '@device-metrics/formats';
import type { Problem } from '../../http/problem.js';
import type { Written } from '../../http/speaks.js';

export const PROTOBUF = 'application/x-protobuf';
export const JSON_TYPE = 'application/json';

/** Answers are written as the request was. */
export const isJson = ({ headers }: Pick<FastifyRequest, 'headers'>): boolean =>
  /^\s*application\/json\b/i.test(headers['content-type'] ?? '');

/** Codes of google.rpc.Code, which OTLP asks nobody to look at. */
const CODES: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  413: 8,
  429: 8,
  503: 14,
};
const UNKNOWN = 2;

/** As bytes: Fastify would add a charset to the type of a text. */
const json = (value: object): Written => ({ contentType: JSON_TYPE, body: Buffer.from(JSON.stringify(value)) });

/** A problem as `google.rpc.Status`. */
export function statusOf(problem: Problem, request: FastifyRequest): Written {
  const code = CODES[problem.getStatus()] ?? UNKNOWN;
  const { message } = problem;
  if (isJson(request)) return json({ code, message });
  return { contentType: PROTOBUF, body: Buffer.from(new ProtoWriter().varint(1, code).text(2, message).finish()) };
}

/** `ExportMetricsServiceResponse`, with a part only where some points were refused. */
export function responseOf(rejected: number, message: string, request: Pick<FastifyRequest, 'headers'>): Written {
  if (isJson(request)) {
    const partialSuccess = { rejectedDataPoints: String(rejected), errorMessage: message };
    return json(rejected > 0 ? { partialSuccess } : {});
  }
  const response = new ProtoWriter();
  if (rejected > 0) response.message(1, (part) => part.varint(1, rejected).text(2, message));
  return { contentType: PROTOBUF, body: Buffer.from(response.finish()) };
}
