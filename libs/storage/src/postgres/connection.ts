import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { checkServerIdentity } from 'node:tls';
import { misspeltFor, quote } from '@device-metrics/domain';
import type { ClientConfig } from 'pg';

/** What may stand behind the question mark. */
const PARAMETERS = [
  'application_name',
  'connect_timeout',
  'host',
  'options',
  'passfile',
  'password',
  'port',
  'sslcert',
  'sslkey',
  'sslmode',
  'sslrootcert',
];

const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;

/** Whether an address is one of PostgreSQL. */
export const isPostgresUrl = (address: string): boolean => /^postgres(ql)?:\/\//.test(address);

/** The address without its password. */
export function shownUrl(address: string): string {
  try {
    const url = new URL(address);
    if (url.password !== '') url.password = '***';
    if (url.searchParams.has('password')) url.searchParams.set('password', '***');
    return url.href;
  } catch {
    return 'postgres://…';
  }
}

/**
 * How to connect to what an address says: `postgres://user:password@host:port/database`, with `sslmode`, `sslrootcert`, `sslcert`,
 * `sslkey`, `passfile`, `application_name`, `options` and `connect_timeout` as libpq has them.
 *
 * @throws Error that says what is wrong with it.
 */
export function connectionOf(
  address: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): ClientConfig {
  const parts = /^postgres(?:ql)?:\/\/(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(address);
  if (!parts) throw new Error('must be postgres://user:password@host:port/database');
  const [, login = '', hosts, name = '', query = ''] = parts;
  const [user = '', ...secret] = login.split(':');
  const options = new URLSearchParams(query);
  // One that is unheeded would not be heeded: `sslmod=require` goes without TLS.
  for (const name of options.keys()) {
    const meant = PARAMETERS.includes(name) ? undefined : misspeltFor(name, PARAMETERS);
    if (meant !== undefined) throw new Error(`has ${quote(name)}, which is not known; did you mean ${quote(meant)}?`);
  }
  const asked = options.get('sslmode') ?? environment['PGSSLMODE'] ?? 'prefer';
  const mode = SSL_MODES.find((known) => known === asked);
  if (!mode) throw new Error(`has sslmode ${JSON.stringify(asked)}; allowed are ${SSL_MODES.join(', ')}`);
  const database = decoded(name) || environment['PGDATABASE'] || 'device_metrics';
  const role = decoded(user) || environment['PGUSER'] || 'postgres';
  if (hosts.includes(',')) throw new Error('names several hosts: name the one address that moves with the primary');
  const place = /^(\[[^\]]+\]|[^:@]*)(?::(\d+))?$/.exec(hosts);
  if (!place) {
    // What is not shown may be of the password.
    throw new Error(
      'must have host or host:port before the database, and %2F, %3F, %23 and %40 for / ? # and @ in user and password',
    );
  }
  const host =
    decoded(place[1].replace(/^\[|\]$/g, '')) || (options.get('host') ?? environment['PGHOST'] ?? '127.0.0.1');
  const asPort = place[2] ?? options.get('port') ?? environment['PGPORT'] ?? '5432';
  const port = Number(asPort);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Error(`has the port ${JSON.stringify(asPort)}; it must be an integer from 1 to 65535`);
  }
  const timeout = Number(options.get('connect_timeout') ?? 5);
  if (!(timeout > 0)) {
    throw new Error(
      `has connect_timeout ${JSON.stringify(options.get('connect_timeout'))}; it must be seconds, more than 0`,
    );
  }
  const password =
    secret.length > 0
      ? decoded(secret.join(':'))
      : (options.get('password') ??
        environment['PGPASSWORD'] ??
        passwordFile(options.get('passfile') ?? environment['PGPASSFILE'], host, port, database, role));
  return {
    host,
    port,
    database,
    user: role,
    ...(password !== undefined && { password }),
    ssl: sslOf(mode, host, options),
    application_name: options.get('application_name') ?? 'device-metrics',
    connectionTimeoutMillis: timeout * 1000,
    ...(options.has('options') && { options: options.get('options') ?? '' }),
  };
}

/** @throws Error where a part is not percent-encoded as it has to be. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Error('has a "%" in its user, password, host or database that begins no character: write "%25" for it');
  }
}

/** `prefer` is without TLS here: whoever is between could refuse it anyway. */
function sslOf(mode: (typeof SSL_MODES)[number], host: string, options: URLSearchParams): ClientConfig['ssl'] {
  if (mode === 'disable' || mode === 'prefer') return false;
  const file = (name: string): string | undefined => {
    const path = options.get(name);
    if (path === null) return undefined;
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw new Error(`names ${name} ${path}, which cannot be read: ${(error as Error).message}`, { cause: error });
    }
  };
  const [ca, cert, key] = [file('sslrootcert'), file('sslcert'), file('sslkey')];
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    // As libpq: with an authority of its own `require` asks for it too.
    rejectUnauthorized: mode !== 'require' || ca !== undefined,
    ...(mode === 'verify-full'
      ? {
          ...(isIP(host) === 0 && { servername: host }),
          checkServerIdentity: (_: string, certificate) => checkServerIdentity(host, certificate),
        }
      : { checkServerIdentity: () => undefined }),
  };
}

/** Gives the password of a file at the time of each connection, so that it may be changed while the api runs. */
function passwordFile(path: string | undefined, ...wanted: Wanted): (() => string) | undefined {
  let last = passwordOfFile(path, ...wanted);
  if (last === undefined) return undefined;
  return () => {
    try {
      last = passwordOfFile(path, ...wanted) ?? last;
    } catch {
      // It may just be written anew.
    }
    return last as string;
  };
}

type Wanted = readonly [host: string, port: number, database: string, user: string];

/** What a file of lines `host:port:database:user:password` has, `*` standing for any; without a path, `~/.pgpass`. */
function passwordOfFile(path: string | undefined, ...wanted: Wanted): string | undefined {
  let lines: string[];
  try {
    lines = readFileSync(path ?? join(homedir(), '.pgpass'), 'utf8').split(/\r?\n/);
  } catch (error) {
    if (path === undefined) return undefined;
    throw new Error(`names the password file ${path}, which cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  for (const line of lines) {
    if (line.startsWith('#')) continue;
    const fields = line.match(/(?:\\.|[^:\\])+/g)?.map((field) => field.replace(/\\(.)/g, '$1')) ?? [];
    if (fields.length === 5 && wanted.every((value, at) => fields[at] === '*' || fields[at] === String(value)))
      return fields[4];
  }
  return undefined;
}
