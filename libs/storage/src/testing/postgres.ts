import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { dataSourceOptions, openDataSource } from '../data-source.js';

const SCRIPT = fileURLToPath(new URL('./postgres-server.mjs', import.meta.url));

/** Why there is no PostgreSQL to test with; undefined where there is. */
export const whyNoPostgres = ((): string | undefined => {
  const { stdout } = spawnSync(process.execPath, [SCRIPT, '--find'], { encoding: 'utf8' });
  return (JSON.parse(stdout) as { missing?: string }).missing;
})();

if (whyNoPostgres !== undefined) process.stderr.write(`tests over PostgreSQL are skipped: ${whyNoPostgres}\n`);

/** A PostgreSQL that a test starts for itself. */
export interface PostgresServer {
  readonly url: (database: string) => string;
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  /** Ends it at once, without a word to anybody; it starts again by itself. */
  shutDownImmediately(): Promise<void>;
  stop(): void;
}

/** Starts a PostgreSQL with settings such as `fsync=off`. */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const child = spawn(process.execPath, [SCRIPT, ...settings], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout);
  const next = (): Promise<{ port: number }> =>
    new Promise((resolve) => lines.once('line', (line) => resolve(JSON.parse(line) as { port: number })));
  const { port } = await next();
  return {
    url: (database) => `postgres://postgres@127.0.0.1:${port}/${database}`,
    process: child,
    shutDownImmediately: async () => {
      const again = next();
      child.stdin.write('\n');
      await again;
    },
    stop: () => child.stdin.end(),
  };
}

/** All test files of a process share one; it ends with the process. */
const SHARED = join(tmpdir(), `device-metrics-postgres-${process.pid}`);

async function sharedUrl(): Promise<(database: string) => string> {
  try {
    const port = readFileSync(SHARED, 'utf8');
    const url = (database: string): string => `postgres://postgres@127.0.0.1:${port}/${database}`;
    await (await connect(url('postgres'))).end();
    return url;
  } catch {
    const server = await startPostgres(['fsync=off', 'full_page_writes=off']);
    const { process: child } = server;
    child.unref();
    for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref(): void }).unref();
    writeFileSync(SHARED, new URL(server.url('postgres')).port);
    return server.url;
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  return client;
}

let made = 0;
/** Its tables are made once. */
let template: string | undefined;

/** Runs a statement on the database `postgres` of the shared server. */
async function administer(sql: string): Promise<void> {
  const url = await sharedUrl();
  const client = await connect(url('postgres'));
  await client.query(sql).finally(() => client.end());
}

/** A new database of the shared server: an empty one, or a copy of another. */
export async function makeDatabase(template = 'template1'): Promise<string> {
  made += 1;
  const name = `test_${Date.now().toString(36)}_${process.pid}_${made}`;
  await administer(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  return (await sharedUrl())(name);
}

/** A new database that has all tables. */
export async function makeDatabaseWithTables(): Promise<string> {
  if (template === undefined) {
    const url = await makeDatabase();
    await (await openDataSource(dataSourceOptions(url))).destroy();
    template = new URL(url).pathname.slice(1);
  }
  return makeDatabase(template);
}

export async function dropDatabase(url: string): Promise<void> {
  await administer(`DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
}
