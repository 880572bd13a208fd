import { networkInterfaces } from 'node:os';
import { isLoopbackName } from './check-host.js';

/** The first address of this machine that others reach; undefined where there is none. */
function outsideAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}

/** A URL of this server that other machines can use, in place of one that leads each machine to itself. */
export function reachableUrl(url: string): string {
  const parsed = new URL(url);
  const name = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  const outside = isLoopbackName(name) || name === '0.0.0.0' || name === '::' ? outsideAddress() : undefined;
  if (outside !== undefined) parsed.hostname = outside;
  return parsed.origin;
}
