import { describe, expect, it } from '@jest/globals';
import type { Series } from '@device-metrics/domain';
import * as fc from 'fast-check';
import { inPasses } from './pass.js';

const series = (id: number): Series => ({ id, deviceName: 'pc', metricName: `m${id}`, labels: {}, unit: null });

describe('passes over the hours of devices', () => {
  it('collect all of every series, and hold no more at a time than there is room for', async () => {
    // How many samples each series of a device has in each of three hours.
    const devices = fc.array(fc.array(fc.array(fc.nat(9), { minLength: 3, maxLength: 3 }), { maxLength: 12 }), {
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(devices, fc.integer({ min: 1, max: 60 }), async (counts, room) => {
        const groups = counts.map((some, device) => ({
          series: some.map((_, at) => series(100 * device + at)),
          hours: [0, 1, 2].map((hour) => new Map(some.map((all, at) => [100 * device + at, all[hour]]))),
        }));
        const found: [id: number, count: number][] = [];
        const make = () => ({ count: 0 });
        for await (const pass of inPasses(
          groups,
          make,
          ({ hours }, pass) => {
            for (const hour of hours) {
              for (const [id, count] of hour) if (count > 0 && pass.wanted.has(id)) pass.of(id).count += count;
              pass.makeRoom();
              const held = [...pass.found.values()].reduce((sum, one) => sum + one.count, 0);
              expect(held <= room || pass.series.length === 1).toBe(true);
            }
            return Promise.resolve();
          },
          room,
        )) {
          for (const { id } of pass.series) {
            const collected = pass.found.get(id);
            if (collected) found.push([id, collected.count]);
          }
        }
        const expected = counts.flatMap((some, device) =>
          some.map((all, at) => [100 * device + at, all[0] + all[1] + all[2]]),
        );
        expect(found).toEqual(expected.filter(([, count]) => count > 0));
      }),
    );
  });
});
