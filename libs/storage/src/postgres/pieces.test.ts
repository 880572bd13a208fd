import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HOUR } from '@device-metrics/domain';
import { hourOf } from '../columnar/hour.js';
import type { StoredPiece } from '../columnar/pieces.js';
import { whyNoPostgres } from '../testing/postgres.js';
import { TestPostgresStore } from '../testing/test-postgres-store.js';
import { sample, T0 } from '../testing/test-store.js';
import { connectionOf } from './connection.js';
import { DamagedRows } from './damaged-rows.js';
import { Database } from './database.js';
import { PgPieces } from './pieces.js';

const describeIf = whyNoPostgres === undefined ? describe : describe.skip;

describeIf('parts', () => {
  let opened: TestPostgresStore;
  let database: Database;
  beforeEach(async () => {
    opened = await TestPostgresStore.open({ maxOpenSamples: 1 });
    database = new Database(connectionOf(opened.url), 1);
  });
  afterEach(async () => {
    await database.close();
    await opened.close();
  });

  it('that became a chunk before their samples were fetched give the same samples, each its own', async () => {
    for (const turn of [1, 2]) {
      await opened.store.append([sample(T0 + turn * 1000, turn), sample(T0 + turn * 1000 + 500, turn)]);
      await opened.store.maintain();
    }
    const damaged = new DamagedRows(
      database,
      () => opened.now,
      () => undefined,
    );
    const pieces = new PgPieces(
      database,
      damaged,
      () => opened.now,
      () => undefined,
    );
    const reader = pieces.reader([1], { start: T0 - HOUR, end: T0 + 24 * HOUR }, 'of hours that it cuts');
    const listed = (await reader.page(1, hourOf(T0), hourOf(T0) + 1)).hours.get(hourOf(T0)) as StoredPiece[];
    expect(listed.map(({ part }) => part)).toEqual([1, 2]);

    opened.now += 2 * HOUR;
    await opened.store.maintain();
    // The next part has the number that the first had.
    await opened.query(`INSERT INTO piece (device_id, hour, part, sealed_through, through, stats, data)
      SELECT device_id, hour, 1, sealed_through, '{"1":1000}', stats, data FROM piece`);

    await reader.fetch(listed);
    expect(listed.map((piece) => [...pieces.columns(piece).values()].map(({ times }) => [...times]))).toEqual([
      [[1000, 1500]],
      [[2000, 2500]],
    ]);
  });
});
