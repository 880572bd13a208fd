import type { FastifyReply, FastifyRequest } from 'fastify';
import { AddRouteConfig } from '../../http/route-config.js';
import type { Caller } from '../caller.js';
import type { Audit } from './audit.js';

/** What is written down of a call, besides who made it, from where, and to what its path leads. */
interface AuditedCall {
  /** Such as `device.delete`. */
  readonly action: string;
  /** Further facts, which must hold no secret. */
  readonly details?: (request: FastifyRequest) => Readonly<Record<string, string>>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    audited?: AuditedCall;
  }
}

/** Says that calls of a route are written into the audit: those that were done, and those that were refused to somebody known. */
export const Audited = (action: string, details?: AuditedCall['details']): MethodDecorator =>
  AddRouteConfig({ audited: { action, ...(details && { details }) } });

/** Writes an audited call down, before its answer goes out. What strangers try would fill the audit. */
export async function noteCall(audit: Audit, request: FastifyRequest, { statusCode }: FastifyReply): Promise<void> {
  const { audited } = request.routeOptions.config;
  // A wrong host or origin is refused before anybody asks who it is.
  const caller = request.caller as Caller | undefined;
  if (!audited || !caller || caller.kind === 'nobody' || statusCode === 429 || statusCode >= 500) return;
  const success = statusCode < 400;
  await audit.note(request, {
    action: audited.action,
    target: Object.values(request.params as Record<string, string>).join('/'),
    success,
    details: { ...audited.details?.(request), ...(!success && { status: String(statusCode) }) },
  });
}
