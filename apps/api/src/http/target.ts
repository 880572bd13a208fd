import type { IncomingMessage } from 'node:http';

const targetHosts = new WeakMap<object, string>();

/**
 * The path of a request target. One in absolute form (RFC 9112, 3.2.2), as proxies get it, loses its scheme and host; these
 * are kept for the guard.
 */
export function pathOf(request: Pick<IncomingMessage, 'url'>): string {
  const { url = '/' } = request;
  if (url.startsWith('/')) return url;
  const [, host, path] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)(.*)$/is.exec(url) ?? [];
  if (host === undefined || path === undefined) return url;
  targetHosts.set(request, host);
  return path.startsWith('/') ? path : `/${path}`;
}

/** The host of a request target that had absolute form. */
export const targetHostOf = (request: object): string | undefined => targetHosts.get(request);
