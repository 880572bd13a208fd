import { afterEach, expect, it } from '@jest/globals';
import { HOUR } from '@device-metrics/domain';
import { hourOf } from '../columnar/hour.js';
import type { LatePieces } from '../columnar/pieces.js';
import { sample, T0, TestStore } from '../testing/test-store.js';
import { DamagedTable } from './damaged-table.js';
import { PieceTable } from './piece-table.js';

let opened: TestStore;
afterEach(() => opened.close());

it.each([
  ['one after the other', [1, 2, 3], { firstTime: T0 + 1000, lastTime: T0 + 3500 }],
  ['of which one is late', [1, 3, 2], undefined],
])('parts %s that become a chunk while somebody looks at their hour are read as that chunk', async (_, turns, sums) => {
  opened = await TestStore.open({ maxOpenSamples: 1 });
  for (const turn of turns) {
    await opened.store.append([sample(T0 + turn * 1000, turn), sample(T0 + turn * 1000 + 500, turn)]);
    await opened.store.maintain();
  }
  const pieces = new PieceTable(opened.db, new DamagedTable(opened.db, () => undefined), () => opened.now);
  const [device, hour] = [1, hourOf(T0)];
  expect([...pieces.readAllParts(() => undefined)]).toHaveLength(1);
  const looked = pieces.reader().page(device, hour, hour + 1);
  const stored = (looked as { hours: ReadonlyMap<number, LatePieces> }).hours.get(hour) as LatePieces;
  if (sums) expect(stored.sums).toMatchObject(sums);
  else expect(stored.sums).toBeUndefined();

  opened.now += 2 * HOUR;
  await opened.store.maintain();
  const found = stored.read();
  expect(found.map(({ part }) => part)).toEqual([0]);
  expect([...pieces.columns(found[0]).values()].map(({ times }) => [...times])).toEqual([
    [1000, 1500, 2000, 2500, 3000, 3500],
  ]);
});
