import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ColumnJoiner, type Column } from './column.js';

const times = fc
  .uniqueArray(fc.nat({ max: 60 }), { minLength: 1, maxLength: 8 })
  .map((all) => all.sort((a, b) => a - b));
/** Times that follow each other, as those of parts mostly do, or any. */
const timelines = fc.oneof(
  fc.array(times, { minLength: 1, maxLength: 4 }),
  fc
    .array(times, { minLength: 1, maxLength: 4 })
    .map((all) => all.map((one, index) => one.map((time) => time + index * 100))),
);
/** Of several series, some of which have the same times. */
const series = fc.array(fc.tuple(timelines, fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 4 });

it('columns are joined so that of samples of one time the later wins, whatever was joined before', () => {
  fc.assert(
    fc.property(series, (all) => {
      const joiner = new ColumnJoiner();
      let next = 0.5;
      for (const [timesOf, repeats] of all) {
        for (let turn = 0; turn < repeats; turn += 1) {
          const columns = timesOf.map((some): Column => ({
            times: Uint32Array.from(some),
            values: Float64Array.from(some, () => next++),
          }));
          const last = new Map(columns.flatMap((one) => Array.from(one.times, (time, at) => [time, one.values[at]])));
          const joined = joiner.join(columns);
          const found = Array.from(joined.times, (time, at) => [time, joined.values[at]]);
          expect(found).toEqual([...last].sort(([a], [b]) => a - b));
        }
      }
    }),
  );
});
