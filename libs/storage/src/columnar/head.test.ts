import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HeadColumn } from './head.js';

describe('a column of a head', () => {
  it('holds the last value of each time, in order of time, whenever it is read', () => {
    const push = fc.tuple(fc.nat({ max: 60 }), fc.integer());
    const commands = fc.array(fc.oneof({ weight: 9, arbitrary: push }, fc.constant('read' as const)), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(commands, (all) => {
        const column = new HeadColumn();
        const model = new Map<number, number>();
        const check = (): void => {
          const { times, values } = column.column();
          const expected = [...model].sort(([a], [b]) => a - b);
          expect(Array.from(times, (time, index) => [time, values[index]])).toEqual(expected);
        };
        for (const command of all) {
          if (command === 'read') {
            check();
            continue;
          }
          column.push(...command);
          model.set(...command);
        }
        check();
      }),
    );
  });

  it('takes no more memory when the same samples come again and again', () => {
    const column = new HeadColumn(16);
    for (let round = 0; round < 1000; round += 1) for (let time = 0; time < 10; time += 1) column.push(time, round);
    expect(column.size).toBeLessThanOrEqual(32);
    expect([...column.column().values]).toEqual(Array(10).fill(999));
  });
});
