import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Head, type HeadDevice } from './head.js';
import { HOUR } from './hour.js';

const START = 491_000 * HOUR;
/** Ids 5, 6, 7 in slots 0, 1, 3; a series of slot 2 never came to be. */
const device = (): HeadDevice => ({ id: 1, slots: [{ id: 5 }, { id: 6 }, undefined, { id: 7 }], usualSize: 0 });
const SLOTS = [0, 1, 3];

describe('a head', () => {
  it('holds the last value of each series and time, in order of time, whenever it is read', () => {
    const push = fc.tuple(fc.constantFrom(...SLOTS), fc.nat({ max: 60 }), fc.integer());
    const commands = fc.array(fc.oneof({ weight: 9, arbitrary: push }, fc.constant('read' as const)), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(commands, (all) => {
        const of = device();
        const head = new Head(of, START / HOUR, 1, 0);
        const model = new Map<number, Map<number, number>>();
        const check = (): void => {
          const found: [number, [number, number][]][] = [];
          head.columns((id, { times, values }) =>
            found.push([id, Array.from(times, (time, index) => [time, values[index]])]),
          );
          const expected = [...model]
            .sort(([a], [b]) => a - b)
            .map(([slot, samples]) => [of.slots[slot]?.id, [...samples].sort(([a], [b]) => a - b)]);
          expect(found).toEqual(expected);
          const times = [...model.values()].flatMap((samples) => [...samples.keys()]);
          expect(head.firstTime()).toBe(Math.min(Infinity, ...times.map((time) => START + time)));
        };
        for (const command of all) {
          if (command === 'read') {
            check();
            continue;
          }
          const [slot, time, value] = command;
          head.push(slot, START + time, value, 1);
          model.set(slot, (model.get(slot) ?? new Map<number, number>()).set(time, value));
        }
        check();
      }),
    );
  });

  it('leaves what was read as it was when more comes', () => {
    const head = new Head(device(), START / HOUR, 1, 0);
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
    const head = new Head({ id: 1, slots: [{ id: 9 }, { id: 4 }], usualSize: 0 }, START / HOUR, 1, 0);
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
});
