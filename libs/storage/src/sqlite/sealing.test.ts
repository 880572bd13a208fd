import { afterEach, describe, expect, it } from '@jest/globals';
import { openDatabase } from '@device-metrics/sqlite';
import type Database from 'better-sqlite3';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HOUR } from '@device-metrics/domain';
import { sealFrame } from '../columnar/codec/frame.js';
import { StoreFullError, StoreUnavailableError } from '../store.js';
import { EVER, sample, T0, TestStore } from '../testing/test-store.js';

let opened: TestStore;
afterEach(() => opened.close());

describe('sealing', () => {
  it('never gives a journal id twice', async () => {
    opened = await TestStore.open();
    const one = (sql: string): number => opened.db.prepare<[], number>(sql).pluck().get() as number;
    let last = 0;
    for (let round = 1; round <= 600; round += 1) {
      await opened.store.append([sample(T0 + round, round)]);
      const id = one('SELECT max(id) FROM journal');
      expect(id).toBeGreaterThan(last);
      last = id;
      if (round % 199 > 1) continue;
      await opened.sealAll();
      expect(one('SELECT count(*) FROM journal')).toBe(0);
      expect(one('SELECT sealed_through FROM chunk')).toBe(id);
      await opened.reopen();
    }
    expect((await opened.stored())['lab-pc-1/m']).toHaveLength(600);
  });

  it('nor where the last one that was kept is damaged: what comes would count as sealed', async () => {
    opened = await TestStore.open();
    for (let round = 1; round <= 4; round += 1) {
      await opened.store.append([sample(T0 + round, round)]);
      if (round % 2 === 0) await opened.sealAll();
    }
    await opened.reopen((db) => db.exec("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'journal'"));
    await opened.store.append([sample(T0 + 5, 5)]);
    await opened.reopen();
    expect((await opened.stored())['lab-pc-1/m']).toHaveLength(5);
    expect(await opened.store.health()).toMatchObject({ damaged: 1 });
  });

  it('merges late samples with their chunk and writes nothing when they change nothing', async () => {
    opened = await TestStore.open();
    await opened.store.append([sample(T0, 1), sample(T0 + 2, 2)]);
    await opened.sealAll();
    const chunk = (): unknown => opened.db.prepare('SELECT * FROM chunk').all();
    const before = chunk();
    await opened.store.append([sample(T0, 1)]);
    await opened.sealAll();
    expect(chunk()).toEqual(before);
    await opened.store.append([sample(T0 + 1, 3), sample(T0 + 2, 4)]);
    await opened.sealAll();
    expect(await opened.stored()).toEqual({
      'lab-pc-1/m': [
        [T0, 1],
        [T0 + 1, 3],
        [T0 + 2, 4],
      ],
    });
  });
});

const flip = (db: Database.Database, table: string, column: string, where: string): void => {
  const data = db.prepare(`SELECT ${column} FROM ${table} WHERE ${where}`).pluck().get() as Buffer;
  data[Math.floor(data.length / 2)] ^= 1;
  db.prepare(`UPDATE ${table} SET ${column} = ? WHERE ${where}`).run(data);
};

describe('damage', () => {
  it('of a journal row costs that row, which is set aside', async () => {
    opened = await TestStore.open();
    for (let row = 1; row <= 3; row += 1) await opened.store.append([sample(T0 + row, row)]);
    await opened.reopen((db) => db.exec('UPDATE journal SET data = substr(data, 1, length(data) - 3) WHERE id = 2'));
    expect(await opened.stored()).toEqual({
      'lab-pc-1/m': [
        [T0 + 1, 1],
        [T0 + 3, 3],
      ],
    });
    expect(await opened.store.health()).toMatchObject({ damaged: 1, journalRows: 2 });
    expect(opened.db.prepare('SELECT source, source_id FROM damaged').all()).toEqual([
      { source: 'journal', source_id: 2 },
    ]);
    await opened.reopen();
    expect(await opened.store.health()).toMatchObject({ damaged: 1 });
  });

  it('of a journal row never brings back a value that was overwritten and sealed', async () => {
    opened = await TestStore.open();
    await opened.store.append([sample(T0, 1, 'a'), sample(T0 + 25 * HOUR, 0, 'b')]);
    await opened.store.append([sample(T0, 2, 'a')]);
    await opened.sealAll();
    expect(await opened.store.health()).toMatchObject({ heads: 1, journalRows: 2 });
    await opened.reopen((db) => flip(db, 'journal', 'data', 'id = 2'));
    expect(await opened.stored({ devices: ['a'] })).toEqual({ 'a/m': [[T0, 2]] });
  });

  it('of the file where the journal is leaves the rest to be served', async () => {
    opened = await TestStore.open();
    await opened.store.append(Array.from({ length: 5000 }, (_, index) => sample(T0 + index, Math.sqrt(index))));
    await opened.store.append([sample(T0 + 5000, -1)]);
    await opened.store.close();
    opened.db.pragma('wal_checkpoint(TRUNCATE)');
    const bytes = await readFile(opened.path);
    const value = Buffer.alloc(8);
    value.writeDoubleLE(Math.sqrt(4321));
    bytes[bytes.indexOf(value)] ^= 1;
    await writeFile(opened.path, bytes);
    await opened.reopen();
    expect(await opened.stored()).toEqual({ 'lab-pc-1/m': [[T0 + 5000, -1]] });
    expect(await opened.store.health()).toMatchObject({ damaged: 1 });
  });

  const twoHours = async (): Promise<void> => {
    opened = await TestStore.open({ rawRetention: 0, hourlyRetention: 0 });
    await opened.store.append([sample(T0, 1), sample(T0 + 1, 2), sample(T0 + HOUR, 3)]);
    await opened.sealAll();
  };
  const counts = async (): Promise<number[]> =>
    (await opened.store.summarize(await opened.store.findSeries({}), EVER)).map(({ summary }) => summary.count);

  it('of the samples of a chunk leaves its hourly values and all other hours', async () => {
    await twoHours();
    await opened.reopen((db) => flip(db, 'chunk', 'data', 'id = (SELECT min(id) FROM chunk)'));
    expect(await opened.stored()).toEqual({ 'lab-pc-1/m': [[T0 + HOUR, 3]] });
    expect(await counts()).toEqual([3]);
    expect(await opened.store.health()).toMatchObject({ damaged: 1 });
    expect(await opened.stored()).toEqual({ 'lab-pc-1/m': [[T0 + HOUR, 3]] });
    expect(await opened.store.health()).toMatchObject({ damaged: 1 });
  });

  it('of the hourly values of a chunk is repaired from its samples', async () => {
    await twoHours();
    await opened.reopen((db) => flip(db, 'chunk', 'stats', 'id = (SELECT min(id) FROM chunk)'));
    expect(await counts()).toEqual([3]);
    expect(await opened.store.health()).toMatchObject({ damaged: 1 });
    expect((await opened.stored())['lab-pc-1/m']).toHaveLength(3);
  });

  it('of all of a chunk costs that hour', async () => {
    await twoHours();
    await opened.reopen((db) => {
      flip(db, 'chunk', 'stats', 'id = (SELECT min(id) FROM chunk)');
      flip(db, 'chunk', 'data', 'id = (SELECT min(id) FROM chunk)');
    });
    expect(await counts()).toEqual([1]);
    expect(await opened.store.health()).toMatchObject({ damaged: 2 });
    await opened.store.append([sample(T0, 9)]);
    await opened.sealAll();
    expect(await opened.stored()).toEqual({
      'lab-pc-1/m': [
        [T0, 9],
        [T0 + HOUR, 3],
      ],
    });
  });

  it('of the samples of a chunk does not keep late samples of that hour from being counted', async () => {
    await twoHours();
    await opened.reopen((db) => flip(db, 'chunk', 'data', 'id = (SELECT min(id) FROM chunk)'));
    await opened.store.append([sample(T0 + 5, 7)]);
    expect(await counts()).toEqual([4]);
    await opened.sealAll();
    expect(await counts()).toEqual([4]);
  });
});

describe('a part that is damaged when its chunk is to be made', () => {
  it('keeps its summaries beside all the others, now and later', async () => {
    opened = await TestStore.open({ maxOpenSamples: 2 });
    for (let index = 0; index < 9; index += 1) {
      await opened.store.append([sample(T0 + index, index)]);
      await opened.store.maintain();
    }
    const parts = (): unknown => opened.db.prepare('SELECT count(*) FROM part').pluck().get();
    const before = parts() as number;
    expect(before).toBeGreaterThan(1);
    await opened.reopen((db) => flip(db, 'part', 'data', 'part = 2'));
    const summary = async (): Promise<unknown> => {
      const [found] = await opened.store.summarize(await opened.store.findSeries({}), EVER);
      return found.summary;
    };
    for (let round = 0; round < 2; round += 1) {
      await opened.sealAll();
      expect(await summary()).toMatchObject({ count: 9, min: 0, max: 8, sum: 36 });
      expect(parts()).toBeGreaterThanOrEqual(before);
      expect(await opened.store.health()).toMatchObject({ damaged: 1, heads: 0 });
      await opened.reopen();
    }
    await opened.store.append([sample(T0 + 9, 9)]);
    await opened.sealAll();
    expect(await summary()).toMatchObject({ count: 10, last: 9, sum: 45 });
  });

  it('and does so where its checksum is right, and what cannot be decoded comes behind what can', async () => {
    opened = await TestStore.open({ maxOpenSamples: 6 });
    const both = (index: number): Promise<void> =>
      opened.store.append(['a', 'b', 'c'].map((metricName) => ({ ...sample(T0 + index, index), metricName })));
    for (let index = 0; index < 9; index += 1) {
      await both(index);
      await opened.store.maintain();
    }
    const rows = (): unknown[] => opened.db.prepare('SELECT id, part, data FROM part ORDER BY part').all();
    const before = rows().length;
    expect(before).toBeGreaterThan(2);
    await opened.reopen((db) => {
      type Row = { id: number; data: Buffer };
      const { id, data } = db.prepare<[], Row>('SELECT id, data FROM part WHERE part = 2').get() as Row;
      // A value of the last series is cut off.
      const cut = Buffer.from(data.subarray(0, -1));
      cut.writeUInt32LE(cut.readUInt32LE(5) - 1, 5);
      cut.writeUInt16LE(cut.readUInt16LE(10) - 1, 10);
      cut.writeUInt16LE(cut.readUInt16LE(12) + 1, 12);
      db.prepare('UPDATE part SET data = ? WHERE part = 2').run(sealFrame(cut, [id, 2]));
    });
    const counts = async (): Promise<number[]> =>
      (await opened.store.summarize(await opened.store.findSeries({}), EVER)).map(({ summary }) => summary.count);
    await both(9);
    for (let round = 0; round < 2; round += 1) {
      await opened.sealAll();
      expect(await counts()).toEqual([10, 10, 10]);
      expect(rows().length).toBeGreaterThanOrEqual(before);
      expect(rows()).toContainEqual(expect.objectContaining({ part: 2, data: null }));
      expect(await opened.store.health()).toMatchObject({ damaged: 1, heads: 0 });
      await opened.reopen();
    }
  });
});

describe('a part of the file that cannot be read', () => {
  const PAGE = 4096;
  const DEVICES = 5;
  /** Many chunks, of which each takes pages of its own; all distinct, so that they don't shrink. */
  const noise = (device: number, hour: number, index: number): ReturnType<typeof sample> =>
    sample(T0 + hour * HOUR + index, Math.sin(device * 7919 + hour * 31 + index), `pc-${device}`);
  const fill = async (): Promise<void> => {
    opened = await TestStore.open({ rawRetention: 0, hourlyRetention: 0, maxOpenSamples: 1000 });
    for (let hour = 0; hour < 6; hour += 1) {
      for (let device = 0; device < DEVICES; device += 1) {
        await opened.store.append(Array.from({ length: 700 }, (_, index) => noise(device, hour, index)));
      }
    }
    await opened.sealAll();
  };
  /** Zeroes pages of the closed file and opens it again. */
  const zero = async (pages: (db: Database.Database) => number[]): Promise<void> => {
    const found = pages(opened.db);
    expect(found.length).toBeGreaterThan(0);
    await opened.store.close();
    opened.db.pragma('wal_checkpoint(TRUNCATE)');
    const bytes = await readFile(opened.path);
    for (const page of found) bytes.fill(0, (page - 1) * PAGE, page * PAGE);
    await writeFile(opened.path, bytes);
    await opened.reopen();
  };
  /** The pages of chunks: their leaves, or what does not fit there. */
  const pagesOf =
    (type: 'leaf' | 'overflow', from: number, to: number) =>
    (db: Database.Database): number[] =>
      db
        .prepare<[string], number>(`SELECT pageno FROM dbstat WHERE name = 'chunk' AND pagetype = ? ORDER BY path`)
        .pluck()
        .all(type)
        .slice(from, to);
  const everything = async (): Promise<Map<string, number>> => {
    const counts = new Map<string, number>();
    for (const [series, samples] of Object.entries(await opened.stored())) counts.set(series, samples.length);
    return counts;
  };

  it.each(['leaf', 'overflow'] as const)(
    'costs what is on it: a zeroed %s page of chunks stops no append, no sealing and no report of anything else',
    async (type) => {
      await fill();
      const before = await everything();
      await zero(pagesOf(type, 1, 2));
      const damaged = (): Promise<number> => opened.store.health().then((health) => health.damaged);

      // Late samples for every hour, so that sealing meets the page, and much more than may be open.
      for (let round = 0; round < 6; round += 1) {
        for (let device = 0; device < DEVICES; device += 1) {
          const late = Array.from({ length: 300 }, (_, index) => noise(device, round, 1000 + index));
          await opened.store.append(late);
        }
      }
      await opened.sealAll();
      expect(await opened.store.health()).toMatchObject({ heads: 0, headSamples: 0, journalRows: 0 });
      const after = await everything();
      const lost = [...before].map(([series, count]) => count + 1800 - (after.get(series) ?? 0));
      expect(lost.every((count) => count >= 0 && count % 700 === 0)).toBe(true);
      const total = lost.reduce((sum, count) => sum + count, 0);
      expect(total).toBeGreaterThan(0);
      expect(total).toBeLessThanOrEqual(8 * 700);
      expect(await damaged()).toBeGreaterThan(0);
      expect(opened.problems.join()).toContain('everything else goes on');

      // It stays as it is, is counted once, and reports and upkeep go on.
      const counted = await damaged();
      await opened.store.maintain();
      await opened.reopen();
      expect(await everything()).toEqual(after);
      expect((await opened.store.summarize(await opened.store.findSeries({}), EVER)).length).toBe(DEVICES);
      await opened.sealAll();
      expect(await damaged()).toBeLessThanOrEqual(counted + 2);
      expect(await opened.store.devices()).toHaveLength(DEVICES);
      expect(await everything()).toEqual(after);
    },
  );

  it('hides nothing between two pages of one range', async () => {
    opened = await TestStore.open({ rawRetention: 0, hourlyRetention: 0 });
    for (let hour = 0; hour < 120; hour += 1) {
      await opened.store.append(Array.from({ length: 100 }, (_, index) => noise(0, hour, index)));
    }
    await opened.sealAll();
    const leaves = pagesOf('leaf', 0, Infinity)(opened.db);
    const chunksOfPage = 120 / leaves.length;
    const [third, last] = [leaves[Math.floor(leaves.length / 3)], leaves[leaves.length - 2]];
    await zero(() => [third, last]);
    const [samples] = Object.values(await opened.stored());
    const hours = new Set(samples.map(([time]) => Math.floor((time - T0) / HOUR)));
    expect(leaves.length).toBeGreaterThan(5);
    expect(120 - hours.size).toBeLessThanOrEqual(2 * (chunksOfPage + 2));
    expect(hours.size).toBeLessThan(120);
  });

  it('of the parts keeps what comes for them in memory and the journal until their hour is over', async () => {
    opened = await TestStore.open({ rawRetention: 0, hourlyRetention: 0, maxOpenSamples: 100 });
    for (let index = 0; index < 10; index += 1) {
      await opened.store.append(Array.from({ length: 90 }, (_, at) => noise(0, 0, index * 90 + at)));
      await opened.store.maintain();
    }
    await zero((db) =>
      db.prepare<[], number>(`SELECT pageno FROM dbstat WHERE name LIKE '%part%' AND pagetype = 'leaf'`).pluck().all(),
    );
    for (let index = 20; index < 30; index += 1) {
      await opened.store.append(Array.from({ length: 90 }, (_, at) => noise(0, 0, index * 90 + at)));
      await opened.store.append(Array.from({ length: 90 }, (_, at) => noise(1, 0, index * 90 + at)));
      await opened.store.maintain();
    }
    const samples = async (): Promise<number[]> => Object.values(await opened.stored()).map(({ length }) => length);
    expect((await samples()).map((count) => count >= 900)).toEqual([true, true]);
    await opened.sealAll();
    await opened.sealAll();
    expect((await samples()).map((count) => count >= 900)).toEqual([true, true]);
    const { damaged } = await opened.store.health();
    expect(damaged).toBeGreaterThan(0);
  });

  it('costs nothing of what stands under another key: a flipped id is found', async () => {
    await fill();
    await opened.reopen((db) => db.exec('UPDATE chunk SET id = id + 64 WHERE id = (SELECT min(id) FROM chunk)'));
    const counts = await everything();
    expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(DEVICES * 6 * 700 - 700);
    expect(await opened.store.health()).toMatchObject({ damaged: 1 });
    await opened.store.summarize(await opened.store.findSeries({}), EVER);
    expect(await opened.store.health()).toMatchObject({ damaged: 2 });
  });

  it('of the number of a journal row is found', async () => {
    opened = await TestStore.open();
    for (let row = 1; row <= 3; row += 1) await opened.store.append([sample(T0 + row, row)]);
    await opened.reopen((db) => db.exec('UPDATE journal SET id = 66 WHERE id = 2'));
    expect((await opened.stored())['lab-pc-1/m']).toHaveLength(2);
    expect(await opened.store.health()).toMatchObject({ damaged: 1 });
  });
});

describe('a full disk', () => {
  it('refuses appends, loses nothing and goes on once there is room', async () => {
    opened = await TestStore.open();
    const limit = (pages: number): unknown => opened.db.pragma(`max_page_count = ${pages}`);
    const pages = opened.db.pragma('page_count', { simple: true }) as number;
    limit(pages + 20);
    const acknowledged: ReturnType<typeof sample>[] = [];
    let refused: unknown;
    for (let batch = 0; !refused; batch += 1) {
      const samples = Array.from({ length: 500 }, (_, index) =>
        sample(T0 + batch * 500 + index, index, `pc-${batch}`, `m.${index % 50}`),
      );
      await opened.store.append(samples).then(
        () => acknowledged.push(...samples),
        (error: unknown) => (refused = error),
      );
    }
    expect(refused).toBeInstanceOf(StoreFullError);
    const total = async (): Promise<number> => Object.values(await opened.stored()).flat().length;
    expect(await total()).toBe(acknowledged.length);
    const devices = new Set((await opened.store.findSeries({})).map(({ deviceName }) => deviceName)).size;
    expect(devices).toBe(acknowledged.length / 500);

    limit(pages + 200);
    await opened.store.append([sample(T0, 1, 'late')]);
    await opened.sealAll();
    await opened.reopen();
    expect(await total()).toBe(acknowledged.length + 1);
  });

  it('while sealing keeps the samples where they are', async () => {
    opened = await TestStore.open();
    const samples = Array.from({ length: 9000 }, (_, index) => sample(T0 + index, Math.sin(index)));
    await opened.store.append(samples);
    opened.db.pragma(`max_page_count = ${opened.db.pragma('page_count', { simple: true }) as number}`);
    await expect(opened.sealAll()).rejects.toThrow(StoreFullError);
    await opened.store.append([sample(T0 + 9000, 1)]).catch(() => undefined);
    const held = (await opened.stored())['lab-pc-1/m'].length;
    opened.db.pragma('max_page_count = 1000000');
    await opened.store.maintain();
    await opened.sealAll();
    expect(await opened.store.health()).toMatchObject({ heads: 0, journalRows: 0 });
    await opened.reopen();
    expect((await opened.stored())['lab-pc-1/m']).toHaveLength(held);
  });
});

describe('a disk that takes no writes', () => {
  it('refuses appends with the reason, is not ready, and loses nothing of what was acknowledged', async () => {
    opened = await TestStore.open();
    await opened.store.append([sample(T0, 1)]);
    opened.db.pragma('query_only = ON');
    const refusal = 'attempt to write a readonly database (SQLITE_READONLY)';
    for (const value of [2, 3]) {
      await expect(opened.store.append([sample(T0, value)])).rejects.toEqual(new StoreUnavailableError(refusal));
    }
    await expect(opened.store.ping()).rejects.toEqual(new StoreUnavailableError(refusal));
    expect(opened.problems).toEqual([expect.stringContaining(`senders keep their samples: ${refusal}`)]);
    expect(await opened.stored()).toEqual({ 'lab-pc-1/m': [[T0, 1]] });

    opened.db.pragma('query_only = OFF');
    await opened.store.append([sample(T0 + 1, 4)]);
    expect(await opened.stored()).toEqual({
      'lab-pc-1/m': [
        [T0, 1],
        [T0 + 1, 4],
      ],
    });
  });
});

describe('a backup', () => {
  it('is a consistent copy, made while samples come in', async () => {
    opened = await TestStore.open();
    const batch = (index: number): ReturnType<typeof sample>[] =>
      Array.from({ length: 1000 }, (_, series) =>
        sample(T0 + index * 1000, Math.sin(series + index), 'pc', `m.${series}`),
      );
    for (let index = 0; index < 60; index += 1) await opened.store.append(batch(index));
    const path = join(opened.folder, 'backup.db');
    let done = false;
    const backup = opened.store.backup(path).finally(() => (done = true));
    let sent = 60;
    while (!done) await opened.store.append(batch(sent++));
    await backup;
    expect(sent).toBeGreaterThan(60);

    const copy = openDatabase(path);
    expect(copy.pragma('integrity_check', { simple: true })).toBe('ok');
    const rows = copy.prepare('SELECT count(*) FROM journal').pluck().get() as number;
    copy.close();
    expect(rows).toBeGreaterThanOrEqual(60);
    expect(rows).toBeLessThanOrEqual(sent);
  });

  it('opens as a store with all that was there', async () => {
    opened = await TestStore.open();
    await opened.store.append([sample(T0, 1)]);
    await opened.sealAll();
    await opened.store.append([sample(T0 + HOUR, 2)]);
    const before = await opened.stored();
    await opened.store.backup(join(opened.folder, 'backup.db'));
    await opened.store.append([sample(T0 + HOUR, 3)]);
    expect(await opened.stored()).not.toEqual(before);
    await opened.restoreFrom(join(opened.folder, 'backup.db'));
    expect(await opened.stored()).toEqual(before);
  });
});
