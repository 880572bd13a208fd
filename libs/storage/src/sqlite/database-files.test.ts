import { existsSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { openDatabase } from '@device-metrics/sqlite';
import type { Database } from 'better-sqlite3';
import { DatabaseFiles } from './database-files.js';

let folder: string;
let file: string;
let db: Database;
let files: DatabaseFiles;
let said: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'database-files-'));
  file = join(folder, 'metrics.db');
  open(file);
});
afterEach(async () => {
  db.close();
  await rm(folder, { recursive: true });
});

function open(path: string): void {
  db = openDatabase(path);
  db.pragma('journal_mode = WAL');
  db.exec('CREATE TABLE IF NOT EXISTS one (n)');
  said = [];
  files = new DatabaseFiles(db, (problem) => said.push(problem));
}

const write = (n: number): unknown => db.prepare('INSERT INTO one VALUES (?)').run(n);

/** What a process finds that starts after this one was killed. */
async function afterKill(): Promise<number[]> {
  const copy = join(folder, 'copy.db');
  for (const suffix of ['', '-wal']) if (existsSync(file + suffix)) await copyFile(file + suffix, copy + suffix);
  const other = openDatabase(copy);
  try {
    return other.prepare<[], number>('SELECT n FROM one').pluck().all();
  } finally {
    other.close();
  }
}

it('a log that is deleted is made anew, and what it had is kept', async () => {
  write(1);
  expect(files.look()).toBeUndefined();
  rmSync(`${file}-wal`);
  write(2);
  expect(files.look()).toBeUndefined();
  write(3);
  expect(files.look()).toBeUndefined();
  expect(said).toEqual([`${file}-wal was deleted while it is in use; it is made anew, and nothing is lost`]);
  expect(await afterKill()).toEqual([1, 2, 3]);
});

it('so is one whose index is deleted with it', async () => {
  write(1);
  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix);
  expect(files.look()).toBeUndefined();
  write(2);
  expect(await afterKill()).toEqual([1, 2]);
});

it('while somebody reads it is tried again', async () => {
  write(1);
  rmSync(`${file}-wal`);
  const rows = db.prepare('SELECT n FROM one').iterate();
  rows.next();
  expect(() => files.look()).toThrow();
  rows.return?.();
  expect(files.look()).toBeUndefined();
  write(2);
  expect(await afterKill()).toEqual([1, 2]);
});

it('says that the file is gone, or is another one, until it is back', async () => {
  renameSync(file, `${file}.moved`);
  expect(files.look()).toContain('was deleted, moved or replaced');
  await copyFile(`${file}.moved`, file);
  expect(files.look()).toContain('was deleted, moved or replaced');
  renameSync(`${file}.moved`, file);
  expect(files.look()).toBeUndefined();
});

it('a link to the file may lead to it', async () => {
  db.close();
  const link = join(folder, 'link.db');
  symlinkSync(file, link);
  open(link);
  write(1);
  expect(files.look()).toBeUndefined();
  rmSync(`${file}-wal`);
  expect(files.look()).toBeUndefined();
  write(2);
  expect(await afterKill()).toEqual([1, 2]);
});
