import { STATUS_CODES } from 'node:http';
import { PROBLEM_JSON, type Problem } from './problem.js';
import { SECURITY_HEADERS } from './security-headers.js';

const HEADERS = SECURITY_HEADERS.map((text, index) => text + (index % 2 === 0 ? ': ' : '\r\n')).join('');

/** A problem as the bytes of an answer with which its connection ends, where no framework has a part in it. */
export function lastAnswer(problem: Problem): Buffer {
  const body = JSON.stringify(problem.body());
  const status = problem.getStatus();
  const { retryAfter } = problem.extras;
  return Buffer.from(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${PROBLEM_JSON}\r\n` +
      HEADERS +
      (retryAfter === undefined ? '' : `Retry-After: ${retryAfter}\r\n`) +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
