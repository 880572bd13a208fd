import { quote } from '@device-metrics/domain';
import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '../../http/problem.js';

const MESSAGES = new Map([
  ['prometheus.WriteRequest', 1],
  ['io.prometheus.write.v2.Request', 2],
] as const);
type Message = 1 | 2;

/**
 * The message of a write request: version 1 or 2. What says nothing is version 1, as many senders of that time do.
 *
 * @throws Problem, a 415: the sender may try again with what it says is allowed.
 */
export function versionOf(headers: IncomingHttpHeaders): Message {
  assertVersion(headers['x-prometheus-remote-write-version']);
  const type = headers['content-type'];
  if (type === undefined) return 1;
  const [media = '', ...parameters] = type.split(';').map((part) => part.trim());
  if (media.toLowerCase() !== 'application/x-protobuf') {
    throw unsupported(`The content type must be application/x-protobuf, got ${quote(type)}.`);
  }
  const names = parameters.flatMap((part) => /^proto\s*=\s*"?([^"]*)"?$/i.exec(part)?.[1] ?? []);
  if (names.length === 0) return 1;
  const message = MESSAGES.get(names[0] as 'prometheus.WriteRequest');
  if (message && names.length === 1) return message;
  throw unsupported(`The content type must have proto=${[...MESSAGES.keys()].join(' or proto=')}, got ${quote(type)}.`);
}

/** Breaking changes come with a version 3. */
function assertVersion(header: string | string[] | undefined): void {
  if (header === undefined || (typeof header === 'string' && /^[012]\.\d+(\.\d+)?([-+].*)?$/.test(header))) return;
  throw unsupported(`X-Prometheus-Remote-Write-Version must be 0.1.0, 1.x or 2.x, got ${quote(header)}.`);
}

const unsupported = (detail: string): Problem => new Problem('unsupported-content', detail);
