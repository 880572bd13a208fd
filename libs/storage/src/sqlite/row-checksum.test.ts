import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { HOUR } from '@device-metrics/domain';
import { sqliteDriver } from '@device-metrics/sqlite';
import { sample, T0, TestStore } from '../testing/test-store.js';
import type { Store } from '../store.js';
import { connectionOf, sqliteOptions } from './data-source.js';
import { SqliteStore } from './sqlite-store.js';

const RUNS = process.env['DEVICE_METRICS_LONG'] ? 2_000 : 20;

let opened: TestStore;
afterEach(() => opened.close());

const fill = async (): Promise<void> => {
  opened = await TestStore.open();
  for (const device of ['kitchen', 'cellar', 'roof']) {
    const samples = Array.from({ length: 12 }, (_, index) => ({
      ...sample(T0 + index, index + 0.5, device, `temperature.${index % 4}`),
      labels: { place: `shelf-${index % 3}` },
      unit: 'Cel',
    }));
    await opened.store.append(samples);
  }
  await opened.store.describeDevice('roof', () => ({ displayName: 'On the roof', tags: { floor: 'top' } }));
  await opened.store.renameDevice('cellar', 'basement');
  await opened.sealAll();
};

/** What can be said of each series and device. */
const said = async (store: Store = opened.store): Promise<Map<string, unknown>> => {
  const series = await store.findSeries({});
  const latest = new Map((await store.latest(series)).map((one) => [one.series.id, [one.timestamp, one.value]]));
  return new Map<string, unknown>([
    ...series.map(({ id, unit, ...rest }) => [JSON.stringify(rest), [unit, latest.get(id)]] as const),
    ...(await store.devices()).map(({ name, displayName, tags }) => [name, [displayName, tags]] as const),
  ]);
};

const pagesOf = (...tables: string[]): number[] =>
  opened.db
    .prepare(`SELECT pageno FROM dbstat WHERE name IN (${tables.map(() => '?').join()})`)
    .pluck()
    .all(...tables) as number[];

/** Of the file. */
const PAGE = 4_096;

/** Where the first bytes of each row of a page are, which say what its columns are. */
function* headersOf(file: Buffer, page: number): Generator<number> {
  const start = (page - 1) * PAGE;
  const LEAF = 0x0d;
  if (file[start] !== LEAF) return;
  for (let row = 0; row < file.readUInt16BE(start + 3); row += 1) {
    let at = start + file.readUInt16BE(start + 8 + 2 * row);
    // The length of the row and its number, of which all but the last byte have the top bit.
    for (let numbers = 0; numbers < 2; numbers += 1) {
      while (file[at] > 127) at += 1;
      at += 1;
    }
    for (let left = file[at]; left > 0; left -= 1) yield at++;
  }
}

/** Flips a bit of a file, and says what becomes of a store on it; fails where that says what `truth` does not. */
async function flip(
  whole: Buffer,
  at: number,
  bit: number,
  truth: Map<string, unknown>,
): Promise<'refused' | 'changed' | 'as before'> {
  const copy = Buffer.from(whole);
  copy[at] = copy[at] ^ (1 << bit);
  const damaged = `${opened.path}.damaged`;
  for (const suffix of ['-wal', '-shm']) await rm(damaged + suffix, { force: true });
  await writeFile(damaged, copy);
  const dataSource = new DataSource(sqliteOptions(damaged));
  let store: Store;
  try {
    await dataSource.initialize();
    store = await SqliteStore.open(connectionOf(dataSource), { sealInterval: 0, onProblem: () => undefined });
  } catch (error) {
    expect(String((error as { code?: string }).code)).toMatch(/^SQLITE_/);
    if (dataSource.isInitialized) await dataSource.destroy();
    return 'refused';
  }
  const found = await said(store);
  await store.close();
  await dataSource.destroy();
  let verdict: 'changed' | 'as before' = 'as before';
  for (const [name, what] of found) {
    const [first, second] = what as [unknown, unknown];
    const known = truth.get(name) as [unknown, unknown] | undefined;
    if (/repaired-device/.test(name)) verdict = 'changed';
    else if (!known || first !== known[0] || JSON.stringify(second) !== JSON.stringify(known[1])) {
      // What nobody can vouch for is left out: a unit or what people said, or the latest sample.
      expect([name, known]).toEqual([name, expect.anything()]);
      expect([known?.[0], null]).toContainEqual(first);
      expect([known?.[1], undefined, {}]).toContainEqual(second);
      verdict = 'changed';
    }
  }
  return verdict;
}

describe('a flipped bit in the tables of devices, series and latest samples', () => {
  it('never gives a name, a label, a unit or a value that was not there', async () => {
    await fill();
    const truth = await said();
    const pages = pagesOf(
      'device',
      'series',
      'latest',
      'device_alias',
      'sqlite_autoindex_series_1',
      'sqlite_autoindex_device_1',
    );
    expect(pages.length).toBeGreaterThan(5);
    opened.db.pragma('wal_checkpoint(TRUNCATE)');
    const whole = await readFile(opened.path);
    const verdicts: string[] = [];
    const places = fc.record({
      page: fc.constantFrom(...pages),
      offset: fc.oneof(fc.integer({ min: 0, max: 120 }), fc.integer({ min: 2_500, max: 4_095 })),
      bit: fc.integer({ min: 0, max: 7 }),
    });
    await fc.assert(
      fc.asyncProperty(places, async ({ page, offset, bit }) => {
        verdicts.push(await flip(whole, (page - 1) * PAGE + offset, bit, truth));
      }),
      { numRuns: 50, endOnFailure: true },
    );
    expect(verdicts).toContain('as before');
  });

  it('never gives them where it makes a row seem one of other columns, without a checksum', async () => {
    await fill();
    const truth = await said();
    const pages = pagesOf('device', 'series', 'latest', 'device_alias');
    opened.db.pragma('wal_checkpoint(TRUNCATE)');
    const whole = await readFile(opened.path);
    const places = pages.flatMap((page) => [...headersOf(whole, page)]);
    expect(places.length).toBeGreaterThan(300);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...places), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
        await flip(whole, at, bit, truth);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });

  it('is said once, and counts as damage', async () => {
    await fill();
    await opened.reopen((db) => db.prepare(`UPDATE latest SET value = value + 1 WHERE series_id = 3`).run());
    const [third] = (await opened.store.findSeries({})).filter(({ id }) => id === 3);
    const [latest] = await opened.store.latest([third]);
    const samples: number[] = [];
    for await (const { values } of opened.store.readSamples([third], { start: T0, end: T0 + HOUR })) {
      samples.push(...Array.from(values));
    }
    expect(latest?.value).toBe(samples.at(-1));
    expect(await opened.store.health()).toMatchObject({ damaged: 1 });
    await opened.reopen();
    expect(await opened.store.health()).toMatchObject({ damaged: 1 });
  });

  it('is found in a database of the version before too, once a store has opened it', async () => {
    await fill();
    const truth = await said();
    await opened.reopen((db) => {
      for (const table of ['device', 'device_alias', 'series', 'latest'])
        db.exec(`UPDATE ${table} SET checksum = NULL`);
    });
    expect(await said()).toEqual(truth);
    const left = (table: string): unknown =>
      opened.db.prepare(`SELECT count(*) FROM ${table} WHERE checksum IS NULL`).pluck().get();
    expect(['device', 'device_alias', 'series'].map(left)).toEqual([0, 0, 0]);
  });
});

it('a flipped bit in the schema is told at the start, and by no call later', async () => {
  await fill();
  const pages = pagesOf('sqlite_schema');
  const path = `${opened.path}-copy`;
  await opened.store.backup(path);
  const whole = await readFile(path);
  const told = new Set<unknown>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...pages),
      fc.integer({ min: 100, max: 4_095 }),
      fc.nat(7),
      async (page, at, bit) => {
        const flipped = Buffer.from(whole);
        flipped[(page - 1) * 4_096 + at] ^= 1 << bit;
        await writeFile(path, flipped);
        const dataSource = new DataSource(sqliteOptions(path));
        try {
          await dataSource.initialize();
          const store = await SqliteStore.open(connectionOf(dataSource), {
            sealInterval: 0,
            rawRetention: 0,
            hourlyRetention: 0,
          });
          await store.append([sample(T0 + 5_000, 1, 'kitchen')]);
          await store.maintain();
          await store.close();
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/^SQLITE_(CORRUPT|NOTADB|IOERR_SHORT_READ)/);
          told.add(error);
        } finally {
          if (dataSource.isInitialized) await dataSource.destroy();
          await rm(`${path}-wal`, { force: true });
        }
      },
    ),
    { numRuns: 12 },
  );
  expect(told.size).toBeGreaterThan(0);
});

it('opens after an ANALYZE by somebody else', async () => {
  await fill();
  await opened.reopen((db) => db.exec('ANALYZE'));
  expect(await opened.store.devices()).not.toEqual([]);
});

it.each(['user', 'sqlite_autoindex_token_1', 'audit', 'series_end', 'journal'])(
  'a zeroed page of %s is told at the start: calls would fail for ever',
  async (table) => {
    await fill();
    const [page] = pagesOf(table) as [number];
    const path = `${opened.path}-copy`;
    await opened.store.backup(path);
    const zeroed = await readFile(path);
    zeroed.fill(0, (page - 1) * 4_096, page * 4_096);
    await writeFile(path, zeroed);
    const dataSource = new DataSource(sqliteOptions(path));
    const opening = dataSource.initialize().then(() => SqliteStore.open(connectionOf(dataSource), { sealInterval: 0 }));
    await expect(opening).rejects.toMatchObject({ code: expect.stringMatching(/^SQLITE_CORRUPT/) });
    if (dataSource.isInitialized) await dataSource.destroy();
  },
);

describe('a page that SQLite calls malformed since the disk did not give it back', () => {
  const message = 'database disk image is malformed';
  const opening = async (times: number, act: (path: string, open: () => Promise<Store>) => Promise<void>) => {
    await fill();
    await opened.store.append([sample(opened.now, 7, 'attic')]);
    const path = `${opened.path}-copy`;
    await opened.store.backup(path);
    const dataSource = await new DataSource(sqliteOptions(path)).initialize();
    const db = connectionOf(dataSource);
    const prepare = db.prepare.bind(db) as (sql: string) => object;
    let left = times;
    jest.spyOn(db, 'prepare').mockImplementation(((sql: string) => {
      const statement = prepare(sql);
      if (!sql.includes('FROM journal WHERE id >')) return statement;
      const fail = (): never => {
        left -= 1;
        throw new (sqliteDriver().SqliteError)(message, 'SQLITE_CORRUPT');
      };
      return new Proxy(statement, {
        get: (target, key) => {
          const isRead = key === 'get' || key === 'iterate';
          const value: unknown = left > 0 && isRead ? fail : Reflect.get(target, key);
          return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
        },
      });
    }) as never);
    try {
      await act(path, () =>
        SqliteStore.open(db, { now: () => opened.now, sealInterval: 0, onProblem: () => undefined }),
      );
    } finally {
      await dataSource.destroy();
    }
  };

  it('is no damage: it is read again, and nothing is left out', () =>
    opening(1, async (_, open) => {
      const store = await open();
      expect(await said(store)).toEqual(await said());
      expect((await store.health()).damaged).toBe(0);
      await store.close();
    }));

  it('is a refusal while the disk does not give back the file', () =>
    opening(Infinity, async (path, open) => {
      const log = `${path}-wal`;
      await rename(log, `${log}-away`);
      // What cannot be read, to anybody.
      await mkdir(log);
      await expect(open()).rejects.toMatchObject({ message: expect.stringContaining(`does not give back ${log}`) });
      await rmdir(log);
      await rename(`${log}-away`, log);
    }));

  it('is damage where it does', () =>
    opening(Infinity, async (_, open) => {
      const store = await open();
      expect((await store.health()).damaged).toBe(1);
      await store.close();
    }));
});

describe('an hour that the disk does not give back for a while', () => {
  const READS = ['SELECT stats FROM chunk', 'SELECT data FROM chunk', 'FROM chunk WHERE id >= ? AND id < ?'];
  /** Which of them fail. */
  let away: readonly string[] = [];
  let dataSource: DataSource;
  let store: Store;

  /** A store whose reads of chunks can fail. */
  const open = async (): Promise<void> => {
    dataSource = await new DataSource(sqliteOptions(`${opened.path}-copy`)).initialize();
    const db = connectionOf(dataSource);
    const fail = (): never => {
      throw new (sqliteDriver().SqliteError)('disk I/O error', 'SQLITE_IOERR_READ');
    };
    const failing = (statement: object, read: string): object => {
      const proxy: object = new Proxy(statement, {
        get: (target, key) => {
          const value: unknown = Reflect.get(target, key);
          if (away.includes(read) && (key === 'get' || key === 'all' || key === 'iterate')) return fail;
          if (typeof value !== 'function') return value;
          const method = (value as (...values: unknown[]) => unknown).bind(target);
          return key === 'pluck' || key === 'raw' ? () => (method(), proxy) : method;
        },
      });
      return proxy;
    };
    const prepare = db.prepare.bind(db) as (sql: string) => object;
    const spy = jest.spyOn(db, 'prepare').mockImplementation(((sql: string) => {
      const read = READS.find((one) => sql.includes(one));
      return read === undefined ? prepare(sql) : failing(prepare(sql), read);
    }) as never);
    store = await SqliteStore.open(db, { now: () => opened.now, sealInterval: 0, onProblem: () => undefined });
    spy.mockRestore();
  };
  const close = async (): Promise<void> => {
    await store.close();
    await dataSource.destroy();
  };
  const count = async (): Promise<number> => {
    const range = { start: T0 - HOUR, end: T0 + HOUR };
    const summaries = await store.summarize(await store.findSeries({}), range);
    return summaries.reduce((sum, { summary }) => sum + summary.count, 0);
  };
  const countSamples = async (): Promise<number> => {
    let sum = 0;
    const series = await store.findSeries({});
    for await (const { timestamps } of store.readSamples(series, { start: T0 - HOUR, end: T0 + HOUR })) {
      sum += timestamps.length;
    }
    return sum;
  };

  it.each([
    ...READS.map((read) => [read, [read], false] as const),
    ['its samples and their list', READS.slice(1), false] as const,
    ['all of it', READS, false] as const,
    ['all of an hour whose samples are over', READS, true] as const,
  ])('is there again when it does, after reports and late samples: %s', async (_, reads, isOver) => {
    away = [];
    await fill();
    if (isOver) opened.db.exec('UPDATE chunk SET data = NULL');
    await opened.store.backup(`${opened.path}-copy`);
    await open();
    away = reads;
    await count();
    await store.append([sample(T0 + 100, 5, 'roof', 'temperature.1')]);
    opened.now += 24 * HOUR;
    await store.maintain();
    await count();
    away = [];
    expect(await count()).toBe(37);
    await close();
    // And in a store that has not seen it fail.
    await open();
    opened.now += 24 * HOUR;
    await store.maintain();
    expect(await count()).toBe(37);
    if (!isOver) expect(await countSamples()).toBe(37);
    await close();
  });
});
