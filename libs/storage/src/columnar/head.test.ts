import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HOUR, type Summary } from '@device-metrics/domain';
import { BlockPool, ScratchBlock } from './blocks.js';
import { columnOf, sliceColumn, summarizeColumn } from './column.js';
import { Head, type HeadDevice } from './head.js';

const START = 491_000 * HOUR;
/** Ids 5, 6, 7 in slots 0, 1, 3; a series of slot 2 never came to be. */
const device = (): HeadDevice => ({ id: 1, slots: [{ id: 5 }, { id: 6 }, undefined, { id: 7 }] });
const SLOTS = [0, 1, 3];

describe('a head', () => {
  it('holds the last value of each series and time, in order of time, whenever it is read', () => {
    const sample = fc.tuple(fc.constantFrom(...SLOTS), fc.nat({ max: 60 }), fc.integer());
    // One sample is pushed alone, several as columns.
    const push = fc.array(sample, { minLength: 1, maxLength: 40 });
    const commands = fc.array(fc.oneof({ weight: 9, arbitrary: push }, fc.constant('read' as const)), {
      maxLength: 60,
    });
    const scratch = new ScratchBlock();
    const range = fc.tuple(fc.nat({ max: 61 }), fc.nat({ max: 61 }));
    fc.assert(
      fc.property(commands, range, (all, [from, to]) => {
        const of = device();
        const head = new Head(of, START / HOUR, 1, 0, new BlockPool());
        const model = new Map<number, Map<number, number>>();
        const check = (): void => {
          const foundInScratch = Array.from(head.partsIn(scratch), (part) => {
            const { times, values } = columnOf(part);
            return [part.seriesId, Array.from(times, (time, index) => [time, values[index]])];
          });
          const lasts: [number, number, number][] = [];
          head.summaries((id, { count, last }) => lasts.push([id, count, last]), new Set([5, 6, 7]), true);
          const within: [number, Summary][] = [];
          const cut = { start: START + from, end: START + to };
          head.summaries((id, summary) => within.push([id, { ...summary }]), new Set([5, 7]), true, cut);
          const found: [number, [number, number][]][] = [];
          head.columns((id, { times, values }) =>
            found.push([id, Array.from(times, (time, index) => [time, values[index]])]),
          );
          const expected = [...model]
            .sort(([a], [b]) => a - b)
            .map(([slot, samples]) => [of.slots[slot]?.id, [...samples].sort(([a], [b]) => a - b)]);
          expect(found).toEqual(expected);
          expect(foundInScratch).toEqual(expected);
          expect(within).toEqual(
            found.flatMap(([id, samples]) => {
              const inside = samples.filter(([time]) => time >= from && time < to);
              const times = Uint32Array.from(inside, ([time]) => time);
              const values = Float64Array.from(inside, ([, value]) => value);
              return id === 6 || inside.length === 0 ? [] : [[id, summarizeColumn({ times, values }, START)]];
            }),
          );
          expect(lasts).toEqual(found.map(([id, samples]) => [id, samples.length, samples.at(-1)?.[1]]));
          const times = [...model.values()].flatMap((samples) => [...samples.keys()]);
          expect(head.firstTime()).toBe(Math.min(Infinity, ...times.map((time) => START + time)));
        };
        for (const command of all) {
          if (command === 'read') {
            check();
            continue;
          }
          const [[slot, time, value]] = command as [[number, number, number]];
          if (command.length === 1) head.push(slot, START + time, value, 1);
          else {
            const series = command.map(([into]) => ({ slot: into, device: of }));
            const times = Float64Array.from(command, ([, ago]) => START + ago);
            const values = Float64Array.from(command, ([, , one]) => one);
            const slots = Uint32Array.from(command, ([into]) => into);
            const half = command.length >> 1;
            expect(head.pushColumns(series.slice(0, half), 0, 0, times.subarray(0, half), values, 1)).toBe(half);
            const end = command.length - half;
            expect(head.pushSlots(slots.subarray(half), 0, end, half, times, values, 1)).toBe(end);
          }
          for (const [into, at, one] of command) {
            model.set(into, (model.get(into) ?? new Map<number, number>()).set(at, one));
          }
        }
        check();
      }),
    );
  });

  it('sums up what has come since somebody looked as it sums up all, late samples too', () => {
    const round = fc.record({
      // Samples of each series, one after the other.
      samples: fc.integer({ min: 1, max: 40 }),
      values: fc.infiniteStream(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(-0))),
      late: fc.option(fc.nat({ max: 60 }), { freq: 6 }),
      isSorted: fc.boolean(),
      wanted: fc.subarray([5, 6, 7, 8], { minLength: 1 }),
      cut: fc.option(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 400 }))),
    });
    fc.assert(
      fc.property(fc.array(round, { maxLength: 12 }), (rounds) => {
        const slots: { id: number }[] = [{ id: 5 }, { id: 6 }, { id: 7 }];
        const head = new Head({ id: 1, slots }, START / HOUR, 1, 0, new BlockPool());
        const other = new Head({ id: 1, slots }, START / HOUR, 1, 0, new BlockPool());
        const push = (slot: number, time: number, value: number): void => {
          for (const one of [head, other]) one.push(slot, START + time, value, 1);
        };
        let time = 0;
        for (const [turn, { samples, values, late, isSorted, wanted, cut }] of rounds.entries()) {
          // A series that comes while the head is open.
          if (turn === 3) slots.push({ id: 8 });
          for (let count = 0; count < samples; count += 1, time += 1) {
            for (const slot of slots.keys()) push(slot, time, values.next().value as number);
          }
          if (late !== null) push(late % slots.length, late, 1);
          if (isSorted && turn % 4 === 0) head.columns(() => undefined);
          const range = cut ? { start: START + Math.min(...cut), end: START + Math.max(...cut) } : undefined;
          const found = new Map<number, Summary>();
          head.summaries((id, summary) => found.set(id, { ...summary }), new Set(wanted), true, range);
          const expected = new Map<number, Summary>();
          other.columns((id, column) => {
            const { times, values: its } = range ? sliceColumn(column, range.start - START, range.end - START) : column;
            if (wanted.includes(id) && times.length > 0)
              expected.set(id, summarizeColumn({ times, values: its }, START));
          });
          expect(found).toEqual(expected);
        }
      }),
    );
  });

  it('puts very many samples of one series in order, and of each time the last that came', () => {
    const [count, hour] = [30_000, 3_600_000];
    const head = new Head(device(), START / HOUR, 1, 0, new BlockPool());
    const model = new Map<number, number>();
    for (let index = 0; index < count; index += 1) {
      const time = index % 3 === 0 ? hour - 1 - index : (index * 7919 * 997) % hour;
      head.push(1, START + time, index, 1);
      model.set(time, index);
    }
    const found: [number, number | undefined][] = [];
    head.columns((_, { times, values }) => times.forEach((time, index) => found.push([time, values[index]])));
    expect(found).toEqual([...model].sort(([a], [b]) => a - b));
    expect(found.length).toBeLessThan(count);
  });

  it('leaves what was read as it was when more comes', () => {
    const head = new Head(device(), START / HOUR, 1, 0, new BlockPool());
    head.push(0, START + 1, 1, 1);
    const read: number[][] = [];
    const views: Float64Array[] = [];
    head.columns((_, { values }) => views.push(values));
    for (let time = 0; time < 100; time += 1) head.push(0, START + time, -1, 2);
    head.columns((_, { values }) => read.push([...values]));
    expect(views.map((values) => [...values])).toEqual([[1]]);
    expect(read).toEqual([Array(100).fill(-1)]);
  });

  it('gives only the series that are wanted, by id also where their slots are in another order', () => {
    const head = new Head({ id: 1, slots: [{ id: 9 }, { id: 4 }] }, START / HOUR, 1, 0, new BlockPool());
    head.push(0, START, 1, 1);
    head.push(1, START, 2, 1);
    const ids = (wanted?: Set<number>): number[] => {
      const found: number[] = [];
      head.columns((id) => found.push(id), wanted);
      return found;
    };
    expect(ids()).toEqual([4, 9]);
    expect(ids(new Set([9]))).toEqual([9]);
  });

  it('gives a few of many series by themselves, whatever else is read of it', () => {
    const slots = Array.from({ length: 50 }, (_, slot) => ({ id: slot + 1 }));
    const head = new Head({ id: 1, slots }, START / HOUR, 1, 0, new BlockPool());
    const valuesOf = (ids?: number[]): Map<number, number[]> => {
      const found = new Map<number, number[]>();
      head.columns((id, { values }) => found.set(id, [...values]), ids && new Set(ids));
      return found;
    };
    for (const time of [2, 1, 2])
      for (let slot = 0; slot < 50; slot += 1) head.push(slot, START + time, slot + time, 1);
    const few = new Map([7, 31].map((id) => [id, [id, id + 1]]));
    expect([valuesOf([31, 7]), valuesOf([])]).toEqual([few, new Map()]);
    expect(valuesOf().get(31)).toEqual([31, 32]);
    expect(valuesOf([31, 7])).toEqual(few);
  });

  it('gives its memory to the next one, but not what somebody looks at', () => {
    const pool = new BlockPool();
    const headOf = (value: number): Head => {
      const head = new Head(device(), START / HOUR, 1, 0, pool);
      for (let time = 0; time < 500; time += 1) head.push(0, START + time, value, 1);
      return head;
    };
    const firstOf = (head: Head): number | undefined => {
      for (const { column, from } of head.partsIn(new ScratchBlock())) return column.values[from];
      return undefined;
    };
    const head = headOf(1);
    head.hold();
    head.release();
    expect([firstOf(headOf(2)), firstOf(head)]).toEqual([2, 1]);
    head.letGo();
    expect([firstOf(headOf(3)), firstOf(head)]).toEqual([3, undefined]);
  });

  it('leaves what was read as it was when it is read again, and sealed, and its memory filled by others', () => {
    const pool = new BlockPool();
    const fill = (head: Head, value: number): void => {
      for (let time = 0; time < 600; time += 1) head.push(0, START + time, value, 1);
    };
    const views: Float64Array[] = [];
    const read = (head: Head): void => head.columns((_, { values }) => views.push(values));
    const head = new Head(device(), START / HOUR, 1, 0, pool);
    for (const value of [1, 2, 3]) {
      fill(head, value);
      read(head);
    }
    head.release();
    for (const value of [4, 5]) {
      const other = new Head(device(), START / HOUR, 1, 0, pool);
      fill(other, value);
      read(other);
      fill(other, value);
    }
    expect(views.map((values) => [...new Set(values)])).toEqual([[1], [2], [3], [4], [5]]);
  });
});
