import { expect, it } from '@jest/globals';
import { BlockPool, SMALLEST } from './blocks.js';
import { RowCursor, Rows } from './rows.js';

it('readings take little more than their values, where they are of the same series as before', () => {
  const slots = Uint32Array.from({ length: 50 }, (_, slot) => slot);
  const all = [new Rows(new BlockPool()), new Rows(new BlockPool())];
  for (const rows of all)
    for (let time = 0; time < 360; time += 1) rows.addReading(time, slots, 0, 50, new Float64Array(50), 0);
  for (const rows of all) expect(memoryOf(rows)).toBeLessThan(360 * 50 * 1.05);
  // Also where they are of another device.
  expect(all[1].lists).toEqual([slots]);
  expect(all[1].lists[0]).toBe(all[0].lists[0]);
});

it('few samples take a small block, and more take larger ones', () => {
  const rows = new Rows(new BlockPool());
  rows.add(0, 0, 1);
  expect(memoryOf(rows)).toBe(SMALLEST);
  for (let time = 1; time < 1000; time += 1) rows.add(0, time, time);
  expect(memoryOf(rows)).toBeLessThan(2 * 1000 * 1.2);
});

it('blocks that are given back are taken again', () => {
  const pool = new BlockPool();
  const fill = (): Set<unknown> => {
    const rows = new Rows(pool);
    for (let time = 0; time < 1000; time += 1) rows.add(0, time, time);
    const blocks = new Set<unknown>(rows.blocks);
    rows.clear();
    return blocks;
  };
  expect(fill()).toEqual(fill());
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

/** In doubles. */
const memoryOf = ({ blocks }: Rows): number => blocks.reduce((sum, { size }) => sum + size, 0);
