import { expect, it } from '@jest/globals';
import { BLOCK, BlockPool } from './blocks.js';
import { RowCursor, Rows } from './rows.js';

it('readings take little more than their values, where they are of the same series as before', () => {
  const slots = Uint32Array.from({ length: 50 }, (_, slot) => slot);
  const all = [new Rows(new BlockPool()), new Rows(new BlockPool())];
  for (const rows of all)
    for (let time = 0; time < 360; time += 1) rows.addReading(time, slots, 0, 50, new Float64Array(50), 0);
  for (const { blocks } of all) expect(blocks.length * BLOCK).toBeLessThan(360 * 50 * 1.05);
  // Also where they are of another device.
  expect(all[1].lists).toEqual([slots]);
  expect(all[1].lists[0]).toBe(all[0].lists[0]);
});

it('a cursor goes on with what has come since', () => {
  const rows = new Rows(new BlockPool());
  const cursor = new RowCursor(rows);
  const found: number[][] = [];
  const look = (): void => {
    while (cursor.next()) {
      for (let at = 0; at < cursor.count; at += 1) {
        found.push([cursor.time, cursor.slots[cursor.slotsFrom + at], cursor.values[cursor.valuesFrom + at]]);
      }
    }
  };
  const expected: number[][] = [];
  for (let time = 0; time < 100; time += 1) {
    look();
    rows.add(7, time, -time);
    expected.push([time, 7, -time]);
    if (time % 10 === 0) look();
    rows.addReading(time, Uint32Array.from([9, 3, 1, 4, 2]), 1, 5, Float64Array.from([0, 0, 1, 2, 3, 4]), 2);
    expected.push([time, 3, 1], [time, 1, 2], [time, 4, 3], [time, 2, 4]);
  }
  look();
  expect(found).toEqual(expected);
});
