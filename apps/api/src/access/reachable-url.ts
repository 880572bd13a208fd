import { hostname, networkInterfaces, type NetworkInterfaceInfo } from 'node:os';
import { isLoopbackName } from './check-host.js';

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** The first address of this machine that others reach, as it stands in a URL; undefined where there is none. */
function outsideAddress(interfaces: Interfaces, hasIPv6: boolean): string | undefined {
  const addresses = Object.values(interfaces).flatMap((list) => list ?? []);
  const outside = addresses.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  const first = outside.find(({ family }) => family === 'IPv4') ?? (hasIPv6 ? outside[0] : undefined);
  return first?.family === 'IPv6' ? `[${first.address}]` : first?.address;
}

/** A URL of this server that other machines can use, in place of one that leads each machine to itself. */
export function reachableUrl(url: string, interfaces: Interfaces = networkInterfaces()): string {
  const parsed = new URL(url);
  const name = parsed.hostname.replace(/^\[(.*)\]$/, '$1');
  const isAny = name === '0.0.0.0' || name === '::';
  const outside = isLoopbackName(name) || isAny ? outsideAddress(interfaces, name.includes(':')) : undefined;
  // Its name stays the same when the network comes later.
  parsed.hostname = outside ?? (isAny ? hostname() : parsed.hostname);
  return parsed.origin;
}
