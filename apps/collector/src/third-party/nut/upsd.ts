import { quote } from '@device-metrics/contract/rules';
import { openTcp, type TcpTarget } from '../tcp.js';

export interface Upsd extends TcpTarget {
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Only this UPS; undefined: all that the server has. */
  readonly ups: string | undefined;
}

/** Of all answers of one run: a UPS has some 5 kB of variables. */
const MAX_BYTES = 2 ** 20;

/** The variables of each UPS of an upsd, as in `battery.charge`. */
export type Variables = ReadonlyMap<string, ReadonlyMap<string, string>>;

/**
 * Asks an upsd (Network UPS Tools, RFC 9271) for the variables of its UPSs.
 *
 * @throws Error when it is not there, refuses, or says what is not its protocol.
 */
export async function readUpsd(upsd: Upsd, signal: AbortSignal): Promise<Variables> {
  const socket = await openTcp(upsd, MAX_BYTES, signal);
  const lines = new Lines(socket);
  const ask = async (request: string): Promise<void> => {
    socket.write(`${request}\n`);
    const answer = await lines.next();
    if (answer !== 'OK') throw new Error(`${request.split(' ')[0]} was answered with ${quote(answer)}`);
  };
  const list = async (what: string): Promise<string[]> => {
    socket.write(`LIST ${what}\n`);
    const first = await lines.next();
    if (first !== `BEGIN LIST ${what}`) throw new Error(reasonOf(first));
    const items: string[] = [];
    for (;;) {
      const line = await lines.next();
      if (line === `END LIST ${what}`) return items;
      items.push(line);
    }
  };
  try {
    if (upsd.username !== undefined) await ask(`USERNAME ${upsd.username}`);
    if (upsd.password !== undefined) await ask(`PASSWORD ${upsd.password}`);
    const names = upsd.ups === undefined ? (await list('UPS')).map(upsName) : [upsd.ups];
    const all = new Map<string, ReadonlyMap<string, string>>();
    for (const name of names) all.set(name, parseVariables(name, await list(`VAR ${name}`)));
    socket.end('LOGOUT\n');
    return all;
  } finally {
    socket.destroy();
  }
}

const upsName = (line: string): string => {
  const name = /^UPS (\S+)/.exec(line)?.[1];
  if (name === undefined) throw new Error(`must be the name of a UPS, got ${quote(line)}`);
  return name;
};

/** Of the lines `VAR <ups> <name> "<value>"`. */
export function parseVariables(ups: string, lines: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    lines.map((line) => {
      const match = /^VAR (\S+) (\S+) "((?:[^"\\]|\\.)*)"$/.exec(line);
      if (!match || match[1] !== ups) throw new Error(`must be VAR ${ups} <name> "<value>", got ${quote(line)}`);
      return [match[2] ?? '', (match[3] ?? '').replace(/\\(.)/g, '$1')] as const;
    }),
  );
}

const REASONS: Readonly<Record<string, string>> = {
  'UNKNOWN-UPS': 'it has no UPS of this name',
  'DRIVER-NOT-CONNECTED': 'its driver does not run',
  'DATA-STALE': 'its driver has lost the UPS',
  'ACCESS-DENIED': 'user or password is wrong, or the host is not allowed',
};

function reasonOf(answer: string): string {
  const code = /^ERR (\S+)/.exec(answer)?.[1];
  if (code === undefined) return `upsd should list, but says ${quote(answer)}`;
  return `upsd says ${code}${REASONS[code] === undefined ? '' : `: ${REASONS[code]}`}`;
}

/** What a socket says, line by line. */
class Lines {
  private buffer = '';
  private problem: Error | undefined;
  private wake: () => void = () => undefined;

  constructor(socket: NodeJS.ReadableStream) {
    socket.on('data', (chunk: Buffer) => this.tell(() => (this.buffer += chunk.toString('utf8'))));
    socket.on('error', (error: Error) => this.tell(() => (this.problem ??= error)));
    socket.on('close', () => this.tell(() => (this.problem ??= new Error('upsd has cut the connection'))));
  }

  async next(): Promise<string> {
    for (;;) {
      const end = this.buffer.indexOf('\n');
      if (end >= 0) {
        const line = this.buffer.slice(0, end);
        this.buffer = this.buffer.slice(end + 1);
        return line.replace(/\r$/, '');
      }
      if (this.problem) throw this.problem;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  private tell(change: () => void): void {
    change();
    this.wake();
  }
}
