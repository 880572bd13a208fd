import { quote } from '@device-metrics/domain';
import type { Socket } from 'node:net';
import { openTcp, startTls, type TcpTarget } from '../tcp.js';
import type { TlsTrust } from '../tls-trust.js';

export interface Upsd extends TcpTarget {
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Only this UPS; undefined: all that the server has. */
  readonly ups: string | undefined;
  /** Undefined: the connection is not encrypted. */
  readonly tls: TlsTrust | undefined;
}

/** Of all answers of one run: a UPS has some 5 kB of variables. */
const MAX_BYTES = 2 ** 20;

/** The variables of each UPS of an upsd, as in `battery.charge`. */
export type Variables = ReadonlyMap<string, ReadonlyMap<string, string>>;

type Reject = (part: string, reason: string) => void;

/**
 * Asks an upsd (Network UPS Tools, RFC 9271) for the variables of its UPSs.
 *
 * @param reject takes the UPSs of several that it refuses, as their driver does not run, and lines that are no variables.
 * @throws Error when it is not there, refuses, or says what is not its protocol.
 */
export async function readUpsd(upsd: Upsd, signal: AbortSignal, reject: Reject): Promise<Variables> {
  const plain = await openTcp(upsd, MAX_BYTES, signal);
  try {
    const socket = upsd.tls === undefined ? plain : await encrypted(plain, upsd, upsd.tls, signal);
    const all = await askAll(upsd, new Conversation(socket), reject);
    socket.end('LOGOUT\n');
    return all;
  } finally {
    plain.destroy();
  }
}

async function encrypted(plain: Socket, upsd: Upsd, trust: TlsTrust, signal: AbortSignal): Promise<Socket> {
  // What came in plain text is left behind with its conversation.
  await new Conversation(plain).ask('STARTTLS', 'OK STARTTLS');
  return startTls(plain, upsd, trust, MAX_BYTES, signal);
}

async function askAll(upsd: Upsd, conversation: Conversation, reject: Reject): Promise<Variables> {
  if (upsd.username !== undefined) await conversation.ask(`USERNAME ${upsd.username}`, 'OK');
  if (upsd.password !== undefined) await conversation.ask(`PASSWORD ${upsd.password}`, 'OK');
  const names = upsd.ups === undefined ? (await conversation.list('UPS')).map(upsName) : [upsd.ups];
  const all = new Map<string, ReadonlyMap<string, string>>();
  for (const name of names) {
    try {
      const lines = await conversation.list(`VAR ${name}`);
      all.set(
        name,
        parseVariables(name, lines, (line, reason) => reject(`${name} ${quote(line)}`, reason)),
      );
    } catch (error) {
      if (!(error instanceof Refusal) || names.length === 1) throw error;
      reject(name, error.message);
    }
  }
  return all;
}

const upsName = (line: string): string => {
  const name = /^UPS (\S+)/.exec(line)?.[1];
  if (name === undefined) throw new Error(`must be the name of a UPS, got ${quote(line)}`);
  return name;
};

/**
 * Of the lines `VAR <ups> <name> "<value>"`.
 *
 * @param reject takes each line that is none.
 */
export function parseVariables(
  ups: string,
  lines: readonly string[],
  reject: (line: string, reason: string) => void,
): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const line of lines) {
    const match = /^VAR (\S+) (\S+) "((?:[^"\\]|\\.)*)"$/.exec(line);
    if (match && match[1] === ups) variables.set(match[2] ?? '', (match[3] ?? '').replace(/\\(.)/g, '$1'));
    else reject(line, `must be VAR ${ups} <name> "<value>"`);
  }
  return variables;
}

/** What upsd says in place of an answer. */
class Refusal extends Error {}

const REASONS: Readonly<Record<string, string>> = {
  'UNKNOWN-UPS': 'it has no UPS of this name',
  'DRIVER-NOT-CONNECTED': 'its driver does not run',
  'DATA-STALE': 'its driver has lost the UPS',
  'ACCESS-DENIED': 'user or password is wrong, or the host is not allowed',
  'FEATURE-NOT-CONFIGURED': 'it has no certificate (CERTFILE or CERTIDENT of upsd.conf)',
  'FEATURE-NOT-SUPPORTED': 'it was built without TLS',
};

/** Requests and answers of one connection. */
class Conversation {
  private buffer = '';
  private problem: Error | undefined;
  private wake: () => void = () => undefined;

  constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => this.tell(() => (this.buffer += chunk.toString('utf8'))));
    socket.on('error', (error: Error) => this.tell(() => (this.problem ??= error)));
    socket.on('close', () => this.tell(() => (this.problem ??= new Error('upsd has cut the connection'))));
  }

  /** @throws Error when the answer is another one than expected. */
  async ask(request: string, expected: string): Promise<void> {
    this.socket.write(`${request}\n`);
    const answer = await this.line();
    const [command = ''] = request.split(' ');
    if (answer !== expected)
      throw refusal(answer, command) ?? new Error(`${command} was answered with ${quote(answer)}`);
  }

  /** The lines of a list, such as `UPS` or `VAR <ups>`. */
  async list(what: string): Promise<string[]> {
    this.socket.write(`LIST ${what}\n`);
    const first = await this.line();
    if (first !== `BEGIN LIST ${what}`) {
      throw refusal(first, what) ?? new Error(`upsd should list, but says ${quote(first)}`);
    }
    const items: string[] = [];
    for (;;) {
      const line = await this.line();
      if (line === `END LIST ${what}`) return items;
      items.push(line);
    }
  }

  private async line(): Promise<string> {
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

/** What an answer such as `ERR DATA-STALE` means; undefined where it is none. */
function refusal(answer: string, asked: string): Refusal | undefined {
  const code = /^ERR (\S+)/.exec(answer)?.[1];
  if (code === undefined) return undefined;
  return new Refusal(`upsd says ${code} to ${asked}${REASONS[code] === undefined ? '' : `: ${REASONS[code]}`}`);
}
