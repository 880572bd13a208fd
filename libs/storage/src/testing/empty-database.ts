import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSource, type DataSourceOptions } from 'typeorm';

let empty: Promise<Buffer> | undefined;

/** Puts a database at a path that has all tables and nothing in them: to make them each time takes longer than most tests. */
export async function putEmptyDatabase(path: string, optionsOf: (path: string) => DataSourceOptions): Promise<void> {
  empty ??= makeEmpty(optionsOf);
  await writeFile(path, await empty);
}

async function makeEmpty(optionsOf: (path: string) => DataSourceOptions): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'empty-'));
  const path = join(folder, 'metrics.db');
  await (await new DataSource(optionsOf(path)).initialize()).destroy();
  const bytes = await readFile(path);
  await rm(folder, { recursive: true });
  return bytes;
}
