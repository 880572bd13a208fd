import { reasonOf } from '@device-metrics/domain';
import type { Session, User, Varbind } from 'net-snmp';
import { snmpClient } from './client.js';
import { networkProblem } from '../network-problem.js';
import { isThere } from './value.js';

export interface Target {
  readonly host: string;
  readonly port: number;
  /** SNMPv2c; undefined for SNMPv3. */
  readonly community: string | undefined;
  /** SNMPv3. */
  readonly user: User | undefined;
  readonly context: string;
  /** Of one request before it is sent again, ms. */
  readonly requestTimeout: number;
  readonly retries: number;
  /** Rows that one request asks for. */
  readonly maxRepetitions: number;
}

/** Of one column; a table that goes on beyond it is an error. */
const MOST_ROWS = 20_000;
/** Objects in one request: their answer fits into a datagram that no network cuts. */
const OBJECTS_AT_ONCE = 20;

/** The rows of a column by their index. */
export class Rows extends Map<string, Varbind> {
  /** Why there are no more; empty where they are all. */
  problem = '';
}

/** The device has answered a request with an error in place of values (RFC 3416). */
class Refused extends Error {
  constructor(
    message: string,
    private readonly status: number,
  ) {
    super(message);
  }

  get isTooBig(): boolean {
    return this.status === TOO_BIG;
  }

  get isAbsent(): boolean {
    return this.status === NO_SUCH_NAME;
  }
}

/** What came could not be read: one value that breaks the rules of SNMP spoils the whole answer. */
class Unreadable extends Error {}

/** So many of them before the first answer, and what is there is no SNMP: a request waits for its own answer then. */
const MOST_UNREADABLE = 16;

const TOO_BIG = 1;
/** Of SNMPv1, which some agents still answer with. */
const NO_SUCH_NAME = 2;

const isRefusal = (error: Error): error is Error & { status: number } =>
  error.name === 'RequestFailedError' && typeof (error as { status?: unknown }).status === 'number';

const isAbsent = (error: unknown): boolean => error instanceof Refused && error.isAbsent;

type Send<T> = (done: (error: Error | null, answer: T) => void) => void;

/** Runs requests with one device; the signal ends them all. */
export class SnmpSession {
  private readonly session: Session;
  private problem = '';
  private closed = false;
  private hasAnswered = false;
  private unreadable = 0;
  private repetitions: number;

  constructor(
    private readonly target: Target,
    private readonly signal: AbortSignal,
  ) {
    const { host, port, community, user, context, requestTimeout, retries } = target;
    const transport = host.includes(':') ? 'udp6' : 'udp4';
    const options = { port, timeout: requestTimeout, retries, transport, context };
    const snmp = snmpClient();
    this.repetitions = target.maxRepetitions;
    this.session = user
      ? snmp.createV3Session(host, user, { ...options, version: snmp.Version3 })
      : snmp.createSession(host, community ?? '', { ...options, version: snmp.Version2c });
    // Datagrams that cannot be read end up here, and do not say which request they answer: there is one at a time.
    this.session.on('error', ({ message }) => {
      this.problem = message;
      this.unreadable += 1;
      if (!this.hasAnswered && this.unreadable > MOST_UNREADABLE) return;
      this.session.cancelRequests(new Unreadable(`what the device answers breaks the rules of SNMP: ${message}`));
    });
    signal.addEventListener('abort', this.close);
  }

  /**
   * @returns the objects by their OIDs, of which some may not be there; or, of an object that the device refuses to give, why.
   * @throws Error when the device does not answer.
   */
  async get(oids: readonly string[]): Promise<Map<string, Varbind | string>> {
    const answers = new Map<string, Varbind | string>();
    for (let at = 0; at < oids.length; at += OBJECTS_AT_ONCE) {
      await this.getSome(oids.slice(at, at + OBJECTS_AT_ONCE), answers);
    }
    return answers;
  }

  /**
   * Where the device refuses a request as a whole, or its answer cannot be read, each half is asked for: one object, or the size of
   * the answer, costs no other.
   */
  private async getSome(oids: readonly string[], answers: Map<string, Varbind | string>): Promise<void> {
    try {
      const varbinds = await this.ask<Varbind[]>((done) => this.session.get(oids, done));
      oids.forEach((oid, index) => answers.set(oid, varbinds[index] ?? 'the device gave no answer for it'));
    } catch (error) {
      if (!(error instanceof Refused || error instanceof Unreadable)) throw error;
      const [first] = oids;
      if (oids.length > 1) {
        const middle = Math.ceil(oids.length / 2);
        await this.getSome(oids.slice(0, middle), answers);
        await this.getSome(oids.slice(middle), answers);
      } else if (first !== undefined && !isAbsent(error)) answers.set(first, error.message);
    }
  }

  /**
   * The rows of a column by their index; none where the device has no such column.
   *
   * @throws Error when the device has never answered.
   */
  async walk(column: string): Promise<Rows> {
    const rows = new Rows();
    try {
      await this.walkInto(rows, column);
    } catch (error) {
      // One column costs no other, but a device that is away need not be asked for them all.
      if (!(this.hasAnswered || error instanceof Unreadable) || this.closed) throw error;
      if (!isAbsent(error)) rows.problem = reasonOf(error);
    }
    return rows;
  }

  private async walkInto(rows: Rows, column: string): Promise<void> {
    for (let next = column; ;) {
      const varbinds = await this.nextRows(next);
      for (const varbind of varbinds) {
        if (!isThere(varbind)) return;
        if (!follows(varbind.oid, next)) {
          throw new Error(`the device goes in circles: after ${next} it gives ${varbind.oid}`);
        }
        if (!varbind.oid.startsWith(`${column}.`)) return;
        if (rows.size >= MOST_ROWS) throw new Error(`${column} has more than ${MOST_ROWS} rows`);
        rows.set(varbind.oid.slice(column.length + 1), varbind);
        next = varbind.oid;
      }
      if (varbinds.length === 0) return;
    }
  }

  /** As many rows at once as the device can answer, and none of those behind one that cannot be read. */
  private async nextRows(after: string): Promise<Varbind[]> {
    for (let rows = this.repetitions; ;) {
      try {
        const [varbinds = []] = await this.ask<Varbind[][]>((done) => this.session.getBulk([after], 0, rows, done));
        return varbinds;
      } catch (error) {
        const isTooBig = error instanceof Refused && error.isTooBig;
        if (!(isTooBig || error instanceof Unreadable) || rows === 1) throw error;
        rows = Math.ceil(rows / 2);
        if (isTooBig) this.repetitions = rows;
      }
    }
  }

  readonly close = (): void => {
    if (this.closed) return;
    this.closed = true;
    this.signal.removeEventListener('abort', this.close);
    this.session.close();
  };

  /** Asks once more where what came cannot be read: it may have come from somebody else. */
  private async ask<T>(send: Send<T>): Promise<T> {
    try {
      return await this.askOnce(send);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      return this.askOnce(send);
    }
  }

  private askOnce<T>(send: Send<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(new Error('given up'));
      send((error, answer) => {
        if (!error || isRefusal(error)) this.hasAnswered = true;
        if (!error) resolve(answer);
        else if (error instanceof Unreadable) reject(error);
        else
          reject(isRefusal(error) ? new Refused(this.reasonOf(error), error.status) : new Error(this.reasonOf(error)));
      });
    });
  }

  /** Says what to do, and not the community, which the errors of net-snmp quote. */
  private reasonOf(error: Error): string {
    const { host, port, user } = this.target;
    if (error.name === 'RequestTimedOutError') {
      const last = this.problem === '' ? '' : `; what came is no SNMP: ${this.problem}`;
      const secret = user ? 'user or password' : 'community';
      return `no answer from ${host}:${port}${last}; a wrong ${secret} and a firewall look the same`;
    }
    return REASONS.find(([pattern]) => pattern.test(error.message))?.[1] ?? networkProblem(error);
  }
}

/** What errors of net-snmp mean. */
const REASONS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^Community /, 'answers with another community'],
  [/^Unknown User Name/, 'the device has no such user'],
  [/^Wrong Digest|^Authentication digest/, 'auth_password is wrong, or auth is another one than in the device'],
  [/^Decryption Error|^Failed to decrypt/, 'priv_password is wrong, or priv is another one than in the device'],
  [
    /^Unsupported Security Level/,
    'the device has no auth_password or priv_password for this user; leave out what it lacks',
  ],
  [/^AuthorizationError/, 'the device does not let this user or community read it; a user may need a priv_password'],
  [/^TooBig/, 'the answer is too big for the device'],
  [/^GeneralError/, 'the device says that it cannot give it (genErr)'],
  [/^NoAccess/, 'the device does not let this user or community read it'],
  [/^Not In Time Window/, 'the clock of the device went back: its count of restarts must be kept over a restart'],
];

/** Whether an OID comes after another in the order of the tree. */
function follows(oid: string, before: string): boolean {
  const [a, b] = [oid.split('.'), before.split('.')];
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const difference = Number(a[index]) - Number(b[index]);
    if (difference !== 0) return difference > 0;
  }
  return a.length > b.length;
}
