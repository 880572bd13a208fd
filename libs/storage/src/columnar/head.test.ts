import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HOUR, type Summary } from '@device-metrics/domain';
import { BlockPool } from './blocks.js';
import { columnOf, sliceColumn, summarizeColumn } from './column.js';
import { Head, type HeadDevice } from './head.js';
import { ScratchColumn } from './sorted-samples.js';

const START = 491_000 * HOUR;
/** Ids 5, 6, 7 in slots 0, 1, 3; a series of slot 2 never came to be. */
const device = (): HeadDevice => ({ id: 1, slots: [{ id: 5 }, { id: 6 }, undefined, { id: 7 }] });
const SLOTS = [0, 1, 3];
/** In which the samples of readings come again and again; the last one takes several blocks. */
const LISTS = [[3, 1, 0, 1], [0, 1, 3, 0, 1], [1, 1, 1, 1, 1], Array.from({ length: 700 }, (_, at) => SLOTS[at % 3])];

describe('a head', () => {
  it('holds the last value of each series and time, in order of time, whenever it is read', () => {
    const sample = fc.tuple(fc.constantFrom(...SLOTS), fc.nat({ max: 60 }), fc.integer());
    const list = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...LISTS) },
      fc.array(fc.constantFrom(...SLOTS), { minLength: 1, maxLength: 12 }),
    );
    const reading = fc
      .tuple(list, fc.nat({ max: 60 }), fc.nat())
      .map(([slots, time, value]) => slots.map((slot, at): [number, number, number] => [slot, time, value + at]));
    // One sample is pushed alone, several as columns.
    const push = fc.oneof(
      fc.array(sample, { minLength: 1, maxLength: 40 }),
      reading,
      fc.array(reading, { minLength: 2, maxLength: 5 }).map((readings) => readings.flat()),
    );
    const commands = fc.array(fc.oneof({ weight: 9, arbitrary: push }, fc.constant('read' as const)), {
      maxLength: 60,
    });
    const scratch = new ScratchColumn();
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
          const counts = new Uint32Array(of.slots.length);
          head.countInto(counts);
          for (const slot of SLOTS) {
            const found: number[] = [];
            head.addTimesOf(slot, found);
            const its = Array.from(model.get(slot)?.keys() ?? [], (time) => START + time);
            expect(new Set(found)).toEqual(new Set(its));
            expect(found.length).toBe(counts[slot]);
          }
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
            const cut = Math.floor((command.length * (time % 3)) / 2);
            expect(head.pushColumns(series.slice(0, cut), 0, 0, times.subarray(0, cut), values, 1)).toBe(cut);
            const end = command.length - cut;
            expect(head.pushSlots(slots.subarray(cut), 0, end, cut, times, values, 1)).toBe(end);
            // It is memory of whoever pushed.
            slots.fill(2);
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
      isRead: fc.boolean(),
      wanted: fc.subarray([5, 6, 7, 8], { minLength: 1 }),
      cut: fc.option(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 400 }))),
    });
    fc.assert(
      fc.property(fc.array(round, { maxLength: 12 }), (rounds) => {
        const slots: { id: number }[] = [{ id: 5 }, { id: 6 }, { id: 7 }, { id: 9 }];
        const head = new Head({ id: 1, slots }, START / HOUR, 1, 0, new BlockPool());
        const other = new Head({ id: 1, slots }, START / HOUR, 1, 0, new BlockPool());
        const push = (slot: number, time: number, value: number): void => {
          for (const one of [head, other]) one.push(slot, START + time, value, 1);
        };
        let time = 0;
        for (const [turn, { samples, values, late, isSorted, isRead, wanted, cut }] of rounds.entries()) {
          // A series that comes while the head is open.
          if (turn === 3) slots.push({ id: 8 });
          for (let count = 0; count < samples; count += 1, time += 1) {
            const its = Float64Array.from(slots, () => values.next().value as number);
            const times = its.map(() => START + time);
            const all = Uint32Array.from(slots.keys());
            if (isRead) for (const one of [head, other]) one.pushSlots(all, 0, all.length, 0, times, its, 1);
            else for (const slot of all) push(slot, time, its[slot]);
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

  it('holds readings that are all of other series', () => {
    const slots = Array.from({ length: 60 }, (_, slot) => ({ id: slot + 1 }));
    const head = new Head({ id: 1, slots }, START / HOUR, 1, 0, new BlockPool());
    const model: [number, number][][] = slots.map(() => []);
    for (let time = 0; time < 200; time += 1) {
      const its = Uint32Array.from(slots.keys()).filter((slot) => (slot * 7 + time * time) % 11 < 5);
      const values = Float64Array.from(its, (slot) => slot + time / 10);
      expect(head.pushSlots(its, 0, its.length, 0, new Float64Array(its.length).fill(START + time), values, 1)).toBe(
        its.length,
      );
      its.forEach((slot, at) => model[slot].push([time, values[at]]));
    }
    const found: [number, number][][] = [];
    head.columns((_, { times, values }) => found.push(Array.from(times, (time, at) => [time, values[at]])));
    expect(found).toEqual(model);
  });

  it('takes of what a row brings only what is of its hour', () => {
    const head = new Head(device(), START / HOUR, 1, 0, new BlockPool());
    const times = Float64Array.from([1, 1, 1, 1, HOUR, HOUR], (time) => START + time);
    expect(head.pushSlots(Uint32Array.from([0, 1, 3, 0, 0, 1]), 0, 6, 0, times, times, 1)).toBe(4);
    expect(head.size).toBe(4);
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
      for (const { column, from } of head.partsIn(new ScratchColumn())) return column.values[from];
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
