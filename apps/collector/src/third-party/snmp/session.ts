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

/** Runs requests with one device; the signal ends them all. */
export class SnmpSession {
  private readonly session: Session;
  private problem = '';
  private closed = false;

  constructor(
    private readonly target: Target,
    private readonly signal: AbortSignal,
  ) {
    const { host, port, community, user, context, requestTimeout, retries } = target;
    const transport = host.includes(':') ? 'udp6' : 'udp4';
    const options = { port, timeout: requestTimeout, retries, transport, context };
    const snmp = snmpClient();
    this.session = user
      ? snmp.createV3Session(host, user, { ...options, version: snmp.Version3 })
      : snmp.createSession(host, community ?? '', { ...options, version: snmp.Version2c });
    // Datagrams that are no SNMP end up here; the request goes on waiting for its own.
    this.session.on('error', (error) => (this.problem = error.message));
    signal.addEventListener('abort', this.close);
  }

  /** @returns the objects in the order of the OIDs; some may not be there. */
  async get(oids: readonly string[]): Promise<Varbind[]> {
    const varbinds: Varbind[] = [];
    for (let at = 0; at < oids.length; at += OBJECTS_AT_ONCE) {
      const some = oids.slice(at, at + OBJECTS_AT_ONCE);
      varbinds.push(...(await this.ask<Varbind[]>((done) => this.session.get(some, done))));
    }
    return varbinds;
  }

  /** The rows of a column by their index; none where the device has no such column. */
  async walk(column: string): Promise<Map<string, Varbind>> {
    const rows = new Map<string, Varbind>();
    const { maxRepetitions } = this.target;
    for (let next = column; ;) {
      const [varbinds = []] = await this.ask<Varbind[][]>((done) =>
        this.session.getBulk([next], 0, maxRepetitions, done),
      );
      for (const varbind of varbinds) {
        if (!isThere(varbind)) return rows;
        if (!follows(varbind.oid, next)) {
          throw new Error(`the device goes in circles: after ${next} it gives ${varbind.oid}`);
        }
        if (!varbind.oid.startsWith(`${column}.`)) return rows;
        if (rows.size >= MOST_ROWS) throw new Error(`${column} has more than ${MOST_ROWS} rows`);
        rows.set(varbind.oid.slice(column.length + 1), varbind);
        next = varbind.oid;
      }
      if (varbinds.length === 0) return rows;
    }
  }

  readonly close = (): void => {
    if (this.closed) return;
    this.closed = true;
    this.signal.removeEventListener('abort', this.close);
    this.session.close();
  };

  private ask<T>(send: (done: (error: Error | null, answer: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(new Error('given up'));
      send((error, answer) => (error ? reject(new Error(this.reasonOf(error))) : resolve(answer)));
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
