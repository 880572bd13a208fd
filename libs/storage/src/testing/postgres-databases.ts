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

export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  return client;
}

let made = 0;

/** Runs statements on a database. */
async function run(url: string, sql: string): Promise<void> {
  const client = await connect(url);
  await client.query(sql).finally(() => client.end());
}

/** Runs a statement on the database `postgres` of the shared server. */
async function administer(sql: string): Promise<void> {
  const url = await sharedUrl();
  await run(url('postgres'), sql);
}

/** A new, empty database of the shared server. */
export async function makeDatabase(): Promise<string> {
  made += 1;
  const name = `test_${Date.now().toString(36)}_${process.pid}_${made}`;
  // Since no write is waited for, copying files is ten times as fast as logging them.
  await administer(`CREATE DATABASE ${name} STRATEGY file_copy`);
  return (await sharedUrl())(name);
}

export async function dropDatabase(url: string): Promise<void> {
  await administer(`DROP DATABASE ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
}

const TABLES = (schema: string): string => `SELECT tablename FROM pg_tables WHERE schemaname = '${schema}'`;

/** Remembers the rows that tables are made with. */
const REMEMBER = `
  CREATE SCHEMA made_with;
  DO $$
  DECLARE
    name text;
    used boolean;
  BEGIN
    FOR name IN ${TABLES('public')} LOOP
      EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO used;
      IF used THEN EXECUTE format('CREATE TABLE made_with.%I AS TABLE public.%1$I', name); END IF;
    END LOOP;
  END $$`;

/** Whoever is still connected is cut off, as where a database is dropped; then the tables have only what is remembered. */
const START_OVER = `
  SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid();
  DO $$
  DECLARE
    name text;
    used boolean;
  BEGIN
    -- Without triggers, of which one keeps rows from being deleted. Few rows are deleted in half the time of TRUNCATE.
    SET LOCAL session_replication_role = replica;
    FOR name IN ${TABLES('public')} LOOP
      EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO used;
      IF used THEN EXECUTE format('DELETE FROM public.%I', name); END IF;
    END LOOP;
    FOR name IN ${TABLES('made_with')} LOOP
      EXECUTE format('INSERT INTO public.%I TABLE made_with.%1$I', name);
    END LOOP;
    PERFORM setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace;
  END $$`;

/** With all tables, and of no test at the moment. */
const spare: string[] = [];

/** A database that has all tables. It goes back with `giveBack`: to make one takes longer than most tests. */
export async function takeDatabase(): Promise<string> {
  const known = spare.pop();
  if (known !== undefined) {
    await run(known, START_OVER);
    return known;
  }
  const url = await makeDatabase();
  await (await openDataSource(dataSourceOptions(url))).destroy();
  await run(url, REMEMBER);
  return url;
}

export function giveBack(url: string): void {
  spare.push(url);
}
