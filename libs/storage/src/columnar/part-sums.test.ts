import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HOUR, includeSummary, type Summary } from '@device-metrics/domain';
import { PartSums } from './part-sums.js';

const START = 491_000 * HOUR;

it('parts have together what their summaries have, of whichever series each of them is, until two of them overlap', () => {
  const span = fc.record({
    id: fc.integer({ min: 1, max: 12 }),
    value: fc.double({ noNaN: true, noDefaultInfinity: true }),
  });
  const parts = fc.array(fc.uniqueArray(span, { selector: ({ id }) => id, maxLength: 12 }), { maxLength: 20 });
  fc.assert(
    fc.property(parts, fc.boolean(), (all, overlap) => {
      const sums = new PartSums(START);
      const expected = new Map<number, Summary>();
      all.forEach((part, turn) => {
        for (const { id, value } of part.sort((a, b) => a.id - b.id)) {
          const [firstTime, lastTime] = [START + turn * 100, START + turn * 100 + 50];
          const summary = {
            count: 2,
            min: value,
            max: value,
            sum: 2 * value,
            first: value,
            firstTime,
            last: value,
            lastTime,
          };
          sums.add(id, summary);
          const known = expected.get(id);
          if (known) includeSummary(known, summary);
          else expected.set(id, summary);
        }
        if (turn % 2 === 0) sums.trim();
      });
      const found = new Map<number, Summary>();
      sums.visit((id, summary) => found.set(id, { ...summary }));
      expect([...found]).toEqual([...expected].sort(([a], [b]) => a - b));
      for (const id of [...expected.keys(), 99]) {
        expect(sums.lastTimeOf(id)).toBe(expected.get(id)?.lastTime ?? -Infinity);
      }
      const some = [...expected][0];
      if (!overlap || !some) return;
      sums.add(some[0], { ...some[1], firstTime: some[1].lastTime });
      expect(sums.overlap).toBe(true);
    }),
  );
});
