import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { dataSourceOptions, openDataSource } from '../data-source.js';
import { startPostgres } from './postgres.js';

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
  // Since no write is waited for, copying files is ten times as fast as logging them.
  await administer(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`);
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
