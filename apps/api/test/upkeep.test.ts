import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openDatabase } from '@device-metrics/sqlite';
import { Server, temporaryFolder } from './server.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let settings: Record<string, string>;
let server: Server | undefined;
const file = (name: string): string => join(folder.path, name);
const command = (...args: string[]): Promise<string[]> => Server.command(args, settings);
const refusal = async (...args: string[]): Promise<string> => {
  const error = await command(...args).then(
    (lines) => new Error(`it was done: ${lines.join('\n')}`),
    (reason: Error & { stderr?: string }) => reason,
  );
  return (error as { stderr?: string }).stderr ?? error.message;
};
const start = async (): Promise<Server> => (server = await Server.start(settings));
const stop = async (): Promise<void> => {
  await server?.stop();
  server = undefined;
};
/** A database that has one device, which another process had made. */
async function databaseOf(device: string): Promise<void> {
  await mkdir(file('data'), { recursive: true });
  await copyFile(join(template.path, 'metrics.db'), file('data/metrics.db'));
  const db = openDatabase(file('data/metrics.db'));
  db.prepare('UPDATE device SET name = ?').run(device);
  db.pragma('journal_mode = DELETE');
  db.close();
}
function devices(path = settings['DATABASE_PATH'] ?? ''): unknown[] {
  const db = openDatabase(path);
  try {
    return db.prepare('SELECT name FROM device').pluck().all();
  } finally {
    db.close();
  }
}

let template: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  template = await temporaryFolder();
  const server = await Server.start({ DATABASE_PATH: join(template.path, 'metrics.db') });
  await server.post('/api/v1/aggregator/metrics', { device_name: 'd', metric_name: 'm', value: 1 });
  await server.stop();
});
afterAll(() => template.remove());

beforeEach(async () => {
  folder = await temporaryFolder();
  settings = { DATABASE_PATH: file('data/metrics.db'), BACKUP_PATH: file('backups'), PACKAGES_PATH: file('packages') };
});
afterEach(async () => {
  await stop();
  await folder.remove();
});

describe('restore', () => {
  it('puts a checked backup in the place of the database, and keeps that', async () => {
    await databaseOf('before');
    await copyFile(file('data/metrics.db'), file('backup.db'));
    await databaseOf('after');
    const said = await command('restore', file('backup.db'));
    expect(said[0]).toContain('is the backup now: 1 devices, 1 series');
    expect(said[1]).toMatch(/The database before is \S+\.before-restore-\S+;/);
    expect(devices()).toEqual(['before']);
  });

  it('changes nothing while the api runs, nor with a file that is not whole', async () => {
    await databaseOf('a');
    await copyFile(file('data/metrics.db'), file('backup.db'));
    await start();
    expect(await refusal('restore', file('backup.db'))).toContain('The api runs');
    await stop();
    const bytes = await readFile(file('backup.db'));
    writeFileSync(file('half.db'), bytes.subarray(0, bytes.length / 2));
    writeFileSync(file('text.db'), 'this is no database');
    expect(await refusal('restore', file('half.db'))).toContain('is not whole, so that nothing was changed');
    expect(await refusal('restore', file('text.db'))).toContain('is not whole, so that nothing was changed');
    expect(devices()).toEqual(['a']);
  });
});

it('what is kept in the log of a file that was copied together with it is restored, too', async () => {
  await databaseOf('before');
  const db = openDatabase(file('data/metrics.db'));
  db.pragma('journal_mode = WAL');
  db.prepare('UPDATE device SET name = ?').run('in the log');
  await copyFile(file('data/metrics.db'), file('backup.db'));
  await copyFile(file('data/metrics.db-wal'), file('backup.db-wal'));
  db.close();
  await databaseOf('after');
  await command('restore', file('backup.db'));
  expect(devices()).toEqual(['in the log']);
});

it('commands say in a sentence that the database cannot be used, and take neither nothing nor an option for one', async () => {
  settings = { ...settings, DATABASE_PATH: folder.path };
  for (const args of [['token', 'list'], ['invite'], ['user', 'list']]) {
    expect(await refusal(...args)).toBe(`DATABASE_PATH ${folder.path} cannot be used: unable to open database file\n`);
  }
  settings = { ...settings, DATABASE_PATH: file('data/metrics.db') };
  await databaseOf('a');
  for (const name of ['move', 'restore', 'check', 'repair']) {
    for (const word of ['', '--force']) expect(await refusal(name, word)).toContain(`${name} takes other arguments`);
  }
  expect(devices()).toEqual(['a']);
  writeFileSync(file('text.db'), 'this is no database'.repeat(100));
  expect(
    await refusal('database', 'copy', '--from', file('text.db'), '--to', 'postgres://postgres@127.0.0.1:1/x'),
  ).toBe(`--from "${file('text.db')}": file is not a database\n`);
  settings = { ...settings, DATABASE_URL: 'postgres://postgres@127.0.0.1:1/x' };
  expect(await refusal('repair', file('fresh.db'))).toContain('repair is for SQLite');
});

describe('move', () => {
  it('takes the database and its keys to another folder, where the api goes on', async () => {
    await databaseOf('a');
    await mkdir(file('data/tls'));
    writeFileSync(file('data/tls/key.pem'), 'key');
    const [said = ''] = await command('move', file('disk2'));
    expect(said).toContain(`set DATABASE_PATH=${file('disk2/metrics.db')}`);
    expect(await readFile(file('disk2/tls/key.pem'), 'utf8')).toBe('key');
    expect(existsSync(file('data/metrics.db'))).toBe(false);
    expect(devices(file('disk2/metrics.db'))).toEqual(['a']);
  });

  it('overwrites nothing', async () => {
    await databaseOf('a');
    await mkdir(file('disk2'));
    writeFileSync(file('disk2/metrics.db'), 'precious');
    expect(await refusal('move', file('disk2'))).toContain('name another folder');
    expect(await readFile(file('disk2/metrics.db'), 'utf8')).toBe('precious');
    expect(existsSync(file('data/metrics.db'))).toBe(true);
  });
});

describe('another version', () => {
  /** As a version would leave it that knows other migrations. */
  function changeDatabase(sql: string): void {
    const db = openDatabase(file('data/metrics.db'));
    db.exec(sql);
    db.close();
  }

  it('an older one than the database was made by does not start, and says what to do', async () => {
    await databaseOf('a');
    changeDatabase("INSERT INTO migrations (timestamp, name) VALUES (1999999999999, 'FromTheFuture1999999999999')");
    await expect(Server.start(settings)).rejects.toThrow(
      /was made by a newer version of Device Metrics[^]*FromTheFuture1999999999999[^]*restore/,
    );
    await copyFile(file('data/metrics.db'), file('newer.db'));
    expect(await refusal('restore', file('newer.db'))).toContain('is of a newer version');
    expect((await command('check', file('newer.db')))[0]).toContain('it is of a newer version than this');
  });

  it('a newer one makes a checked backup before it changes the database', async () => {
    await databaseOf('a');
    // The last migration again: as if this version had brought it.
    changeDatabase("DELETE FROM migrations WHERE name LIKE 'Alerts%'; DROP TABLE IF EXISTS alert_messages;");
    await mkdir(file('backups'));
    writeFileSync(file('backups/before-0.0.1-2026-01-15T10-00-00.000Z.db.part'), 'of a start that was killed');
    const failed = await Server.start(settings).catch((error: Error) => error.message);
    const [backup = '', ...others] = readdirSync(file('backups'));
    expect(backup).toMatch(/^before-.*\.db$/);
    expect(others).toEqual([]);
    expect((await command('check', file(`backups/${backup}`)))[0]).toContain('1 devices');
    // Its tables are there already, so that it fails: the database is as it was.
    expect(failed).toMatch(/could not be changed for version[^]*It is as it was[^]*The backup is/);
    const db = openDatabase(file('data/metrics.db'));
    expect(db.prepare("SELECT count(*) FROM migrations WHERE name LIKE 'Alerts%'").pluck().get()).toBe(0);
    expect(db.prepare('SELECT name FROM device').pluck().all()).toEqual(['a']);
    db.close();
  });

  it('without room for the backup, and where it is damaged, it changes nothing', async () => {
    await databaseOf('a');
    changeDatabase("DELETE FROM migrations WHERE name LIKE 'Alerts%'");
    writeFileSync(file('backups'), 'no folder');
    await expect(Server.start(settings)).rejects.toThrow(/there is no backup of the database before/);
    // A bit of its name is flipped.
    changeDatabase("UPDATE migrations SET name = 'Rarts1764400000000' WHERE name = 'Parts1764400000000'");
    await expect(Server.start(settings)).rejects.toThrow(/Rarts1764400000000 where[^]*it is damaged[^]*repair/);
  });
});

it('scheduled backups are checked, and the newest stay', async () => {
  await databaseOf('a');
  await mkdir(file('backups'));
  for (const day of ['01', '02', '03']) {
    await copyFile(file('data/metrics.db'), file(`backups/device-metrics-2020-01-${day}T03-00-00.000Z.db`));
  }
  writeFileSync(file('backups/mine.db'), 'not of the api');
  Object.assign(settings, { BACKUP_SCHEDULE: '* * * * * *', BACKUP_KEEP: '2' });
  await start();
  const names = (): string[] => readdirSync(file('backups')).sort();
  const madeOne = (): boolean => names().filter((name) => /^device-metrics-(?!2020).*db$/.test(name)).length >= 1;
  while (!madeOne()) await new Promise((resolve) => setTimeout(resolve, 100));
  await stop();
  expect(names()).toContain('mine.db');
  const kept = names().filter((name) => name.startsWith('device-metrics-'));
  expect(kept.length).toBeLessThanOrEqual(3);
  expect((await command('check', file(`backups/${kept.at(-1)}`)))[0]).toContain('is whole: 1 devices');
});

it('doctor says what is wrong, and what to do about it', async () => {
  // Where nobody listens.
  settings['PORT'] = '9';
  const before = await Server.command(['doctor'], settings).catch((error: { stdout: string }) => [error.stdout]);
  expect(before.join('\n')).toMatch(/WRONG {2}database: there is no \S+metrics\.db; the first start makes it/);
  await databaseOf('a');
  const said = await Server.command(['doctor'], settings).catch((error: { stdout: string }) => [error.stdout]);
  expect(said.join('\n')).toContain('ok     database: it can be read, and is of this version');
  expect(said.join('\n')).toMatch(/WRONG {2}api: nothing answers at 127\.0\.0\.1:9 .*systemctl status/);
});
