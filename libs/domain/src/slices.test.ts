import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { orderInSlices } from './slices.js';

describe('an order that is made in slices', () => {
  it('is that of a stable sort, of lists as long as several pieces too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 5_000 }),
        fc.integer({ min: 1, max: 10_000 }),
        async (length, kinds) => {
          const values = Array.from({ length }, (_, index) => (index * 7_919) % kinds);
          const order = await orderInSlices(length, (a, b) => (values[a] as number) - (values[b] as number));
          const positions = Array.from(values.keys());
          expect([...order]).toEqual(positions.sort((a, b) => (values[a] as number) - (values[b] as number)));
        },
      ),
      { numRuns: 20 },
    );
  });
});
