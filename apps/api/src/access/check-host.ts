import { isIP } from 'node:net';
import { quote } from '@device-metrics/contract';
import { Problem } from '../http/problem.js';

/** What a request says of where it goes to and comes from. */
export interface Sender {
  /** Whether it is for reading alone. */
  readonly onlyReads: boolean;
  /** The host of a request target in absolute form; undefined for a path. */
  readonly targetHost: string | undefined;
  /** The values of all headers `Host`. */
  readonly hosts: readonly string[];
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site` and `Sec-Fetch-Mode`, which browsers add and pages cannot. */
  readonly fetchSite: string | undefined;
  readonly fetchMode: string | undefined;
  /** The addresses that the connection goes between. */
  readonly localAddress: string;
}

const LOOPBACK_V4 = /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/;

/** Whether an IP address, in the form that Node gives it, is one of this machine alone. */
export function isLoopbackAddress(address: string): boolean {
  const plain = plainAddress(address);
  return plain === '::1' || (isIP(plain) === 4 && LOOPBACK_V4.test(plain));
}

/** Whether a name, without its port, always leads to this machine. */
export const isLoopbackName = (name: string): boolean => name === 'localhost' || isLoopbackAddress(name);

/** An IPv4 address within IPv6 becomes the IPv4 address. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');

/** The name and port of a header `Host`, in lower case, without brackets; undefined where it is none. */
export function parseHost(host: string): { readonly name: string; readonly port: string } | undefined {
  const [, v6, name = v6, port = ''] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?$/i.exec(host) ?? [];
  if (name === undefined || (v6 !== undefined && isIP(v6) !== 6)) return undefined;
  return { name: name.toLowerCase().replace(/\.$/, ''), port };
}

/**
 * Refuses what a web page of somebody else may have a browser send: a name that was made to lead here (DNS rebinding), and
 * requests from another origin.
 *
 * @param allowed names that this server has, as in `ALLOWED_HOSTS`; `*.example.org` stands for all names below.
 */
export function checkHost(sender: Sender, allowed: readonly string[]): Problem | undefined {
  const { hosts, origin, targetHost } = sender;
  const [host = '', second] = hosts;
  if (second !== undefined)
    return new Problem('unreadable-address', `A request has one header Host, got ${hosts.length}.`);
  const parsed = parseHost(host);
  if (!parsed)
    return new Problem('unreadable-address', `The header Host must be a name or an IP address, got ${quote(host)}.`);
  if (targetHost !== undefined && targetHost.toLowerCase() !== host.toLowerCase()) {
    return new Problem(
      'unreadable-address',
      `The request is for ${quote(targetHost)}, but its header Host says ${quote(host)}.`,
    );
  }
  if (!isOwn(parsed.name, sender.localAddress, allowed)) {
    return new Problem(
      'foreign-host',
      `This server is not known as ${quote(parsed.name)}; if that is right, put the name into the setting ALLOWED_HOSTS.`,
    );
  }
  if (origin !== undefined && !isSameOrigin(origin, host)) {
    return new Problem('foreign-origin', `Pages of ${quote(origin)} may not use this server; only its own may.`);
  }
  return isOfAnotherSite(sender)
    ? new Problem('foreign-origin', 'Pages of other sites may not use this server; only its own may.')
    : undefined;
}

function isOwn(name: string, localAddress: string, allowed: readonly string[]): boolean {
  if (isLoopbackName(name)) return true;
  if (isIP(name) !== 0 && sameAddress(name, localAddress)) return true;
  return allowed.some((pattern) =>
    pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) && name.length >= pattern.length : name === pattern,
  );
}

function sameAddress(one: string, other: string): boolean {
  const url = (address: string): string => {
    const plain = plainAddress(address.replace(/%.*$/, ''));
    return isIP(plain) === 6 ? new URL(`http://[${plain}]`).hostname : plain;
  };
  return url(one) === url(other);
}

function isSameOrigin(origin: string, host: string): boolean {
  if (!/^https?:\/\//i.test(origin) || !URL.canParse(origin) || !URL.canParse(`http://${host}`)) return false;
  const { protocol, host: originHost, pathname } = new URL(origin);
  return pathname === '/' && originHost === new URL(`${protocol}//${host}`).host;
}

/** A link on another page may lead to what is there to read, and nothing else from there. */
function isOfAnotherSite({ onlyReads, fetchSite, fetchMode }: Sender): boolean {
  if (fetchSite === undefined || fetchSite === 'same-origin' || fetchSite === 'none') return false;
  return !(fetchMode === 'navigate' && onlyReads);
}
