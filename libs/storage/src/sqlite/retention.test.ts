import { afterEach, describe, expect, it } from '@jest/globals';
import { stat } from 'node:fs/promises';
import { DAY, HOUR } from '@device-metrics/domain';
import { withoutKey } from '../columnar/codec/frame.js';
import { EVER, sample, T0, TestStore } from '../testing/test-store.js';

let opened: TestStore;
afterEach(() => opened.close());

describe('retention', () => {
  it('finishes the deletion of a device that a crash cut short', async () => {
    opened = await TestStore.open();
    await opened.store.append([sample(T0, 1), sample(T0, 1, 'other'), sample(T0 + 1, 1, 'third')]);
    await opened.sealAll();
    const chunks = (): unknown => opened.db.prepare('SELECT id >> 24 FROM chunk ORDER BY id').pluck().all();
    await opened.reopen((db) => {
      db.exec(
        `DELETE FROM latest WHERE series_id = 2; DELETE FROM series WHERE id = 2; DELETE FROM device WHERE id = 2;
         INSERT INTO device_deletion (device_id) VALUES (2)`,
      );
    });
    expect(chunks()).toEqual([1, 2, 3]);
    await opened.store.maintain();
    expect(chunks()).toEqual([1, 3]);
    expect(await opened.stored()).toEqual({ 'lab-pc-1/m': [[T0, 1]], 'third/m': [[T0 + 1, 1]] });
    expect(opened.db.prepare('SELECT * FROM device_deletion').all()).toEqual([]);
    expect(await opened.store.health()).toMatchObject({ damaged: 0 });
  });

  it('takes what would be too old by a clock that is months ahead: it may be wrong, and nothing is deleted by it yet', async () => {
    opened = await TestStore.open();
    await opened.store.append([sample(T0, 1)]);
    opened.now += 150 * DAY;
    await opened.reopen();
    await opened.store.append([sample(T0 + 1, 2), sample(opened.now, 3)]);
    expect((await opened.stored())['lab-pc-1/m']).toHaveLength(3);
    await expect(opened.store.append([sample(T0 - 85 * DAY, 4)])).rejects.toThrow();
  });

  it('sets aside what belongs to no device, and never deletes it', async () => {
    opened = await TestStore.open();
    await opened.store.append([sample(T0, 1), sample(T0, 2, 'other')]);
    await opened.sealAll();
    const chunk = opened.db.prepare<[], { stats: Buffer; data: Buffer }>(
      'SELECT stats, data FROM chunk WHERE id >> 24 = 2',
    );
    const { stats, data } = chunk.get() as { stats: Buffer; data: Buffer };
    await opened.reopen((db) => db.exec('UPDATE chunk SET id = id + (1 << 29) WHERE id >> 24 = 2'));
    await opened.store.maintain();
    expect(await opened.stored()).toEqual({ 'lab-pc-1/m': [[T0, 1]] });
    expect(await opened.store.health()).toMatchObject({ damaged: 2 });
    expect(opened.db.prepare('SELECT data FROM damaged ORDER BY id').pluck().all()).toEqual([stats, data]);
    expect(opened.problems.join()).toContain('chunk stats');
  });

  it('makes the file smaller', async () => {
    opened = await TestStore.open({ rawRetention: DAY, hourlyRetention: 2 * DAY });
    for (let hour = 0; hour < 16; hour += 1) {
      await opened.store.append(
        Array.from({ length: 5000 }, (_, index) => sample(T0 + hour * HOUR + index, Math.sin(index + hour))),
      );
    }
    await opened.sealAll();
    opened.db.pragma('wal_checkpoint(TRUNCATE)');
    const before = (await stat(opened.path)).size;
    opened.now += 2 * DAY;
    await opened.store.maintain();
    opened.db.pragma('wal_checkpoint(TRUNCATE)');
    expect((await stat(opened.path)).size).toBeLessThan(before / 2);
    const { bytes, freeBytes } = await opened.store.health();
    expect(freeBytes).toBeLessThan(bytes);
  });
});

describe('a file from before there were parts', () => {
  it('opens with all its samples, and goes on from there', async () => {
    opened = await TestStore.open({ rawRetention: 0, hourlyRetention: 0 });
    const hours = (from: number, to: number): ReturnType<typeof sample>[] =>
      Array.from({ length: to - from }, (_, hour) =>
        ['a', 'b'].flatMap((device) => [sample(T0 + (from + hour) * HOUR + 1, hour / 4, device)]),
      ).flat();
    await opened.store.append(hours(0, 5));
    await opened.sealAll();
    await opened.store.append([sample(T0 + 40 * HOUR, 8, 'a'), sample(T0 + 1, 9, 'b')]);
    const before = await opened.stored();
    await opened.reopen((db) => {
      const old = (table: string, column: string): void => {
        const update = db.prepare(`UPDATE ${table} SET ${column} = ? WHERE id = ?`);
        for (const [id, frame] of db.prepare<[], [number, Buffer]>(`SELECT id, ${column} FROM ${table}`).raw().all()) {
          update.run(withoutKey(frame), id);
        }
      };
      old('chunk', 'stats');
      old('chunk', 'data');
      old('journal', 'data');
      db.exec(`DROP TABLE part; DROP TABLE device_deletion; DELETE FROM migrations WHERE name LIKE 'Parts%'`);
      db.pragma('user_version = 0');
    });
    expect(await opened.stored()).toEqual(before);
    await opened.store.append([sample(T0 + HOUR + 2, 7, 'a')]);
    await opened.sealAll();
    await opened.reopen();
    before['a/m'].splice(2, 0, [T0 + HOUR + 2, 7]);
    expect(await opened.stored()).toEqual(before);
    expect(await opened.store.health()).toMatchObject({ damaged: 0, heads: 0 });
  });
});

describe('the file of the first store', () => {
  const HOURS = 5;
  /** Puts rows where the first store had them. */
  const fill = (): void => {
    opened.db.exec(`CREATE TABLE IF NOT EXISTS sample (series_id integer NOT NULL, ts integer NOT NULL, value NOT NULL,
      PRIMARY KEY (series_id, ts)) WITHOUT ROWID`);
    const insert = opened.db.prepare('INSERT INTO sample (series_id, ts, value) VALUES (?, ?, ?)');
    opened.db.transaction(() => {
      for (const { id } of opened.db.prepare<[], { id: number }>('SELECT id FROM series').all()) {
        for (let index = 0; index < 300; index += 1)
          insert.run(id, T0 + (index * HOURS * HOUR) / 300, index ? id * index : -0);
      }
    })();
  };
  const expected = (id: number): [number, number][] =>
    Array.from({ length: 300 }, (_, index) => [T0 + (index * HOURS * HOUR) / 300, index ? id * index : -0]);
  const narrowFile = async (): Promise<void> => {
    opened = await TestStore.open();
    // A sample of long before makes the series known, and is in a chunk of its own.
    await opened.store.append(
      ['a', 'b'].flatMap((device) => ['x', 'y'].map((m) => sample(T0 - 20 * DAY, 7, device, m))),
    );
    await opened.sealAll();
    fill();
    opened.db.pragma('user_version = 0');
  };
  const since = { start: T0, end: EVER.end };

  it('is moved into chunks, every sample of it', async () => {
    await narrowFile();
    await opened.reopen();
    expect(await opened.stored({}, since)).toEqual({
      'a/x': expected(1),
      'a/y': expected(2),
      'b/x': expected(3),
      'b/y': expected(4),
    });
    const latest = await opened.store.latest(await opened.store.findSeries({}));
    expect(latest.map(({ value }) => value)).toEqual([299, 598, 897, 1196]);
    expect(opened.db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'sample'").get()).toBeUndefined();
  });

  it('goes on where it was when moving was cut short', async () => {
    await narrowFile();
    // Room for a part of the chunks only, as after a kill: some hours are moved and some are not.
    const stop = opened.db.prepare(`CREATE TRIGGER cut AFTER DELETE ON sample WHEN old.ts > ${T0 + 2 * HOUR}
      BEGIN SELECT RAISE(ABORT, 'cut short'); END`);
    stop.run();
    await expect(opened.reopen()).rejects.toMatchObject({ message: 'cut short' });
    const cut = opened.reconnect();
    expect(cut.prepare('SELECT count(*) FROM sample').pluck().get()).toBeGreaterThan(0);
    expect(cut.prepare('SELECT count(*) FROM chunk').pluck().get()).toBeGreaterThan(2);
    cut.exec('DROP TRIGGER cut');
    cut.close();
    await opened.reopen();
    expect((await opened.stored({}, since))['b/y']).toEqual(expected(4));
    expect(Object.values(await opened.stored({}, since)).flat()).toHaveLength(1200);
  });
});
