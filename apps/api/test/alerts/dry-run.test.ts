import 'reflect-metadata';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aggregateSteps, MINUTE, parseAggregation, type Aggregation } from '@device-metrics/domain';
import { dryRun } from '../../src/alerts/dry-run.js';
import { judge, ruleOfDevice } from '../../src/alerts/evaluation/judge.js';
import { advance, isFiring, NORMAL } from '../../src/alerts/evaluation/state-machine.js';
import { readRule } from '../../src/alerts/rules/read-rule.js';
import { DeviceRhythms } from '../../src/devices/device-rhythms.js';
import { GRID, T0, World } from './world.js';

const DAYS = 2 * 24 * 60 * MINUTE;
let world: World;
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.close());

type Pair = readonly [time: number, value: number];

const MEASURES = ['last', 'mean', 'min', 'max', 'sum', 'count', 'p50', 'p95', 'rate', 'increase'];

/** Stretches of one value every minute, or of none. */
const past = fc
  .array(
    fc.record({
      value: fc.constantFrom<number | undefined>(1, 1, 4, 9, undefined),
      minutes: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 30, max: 700 })),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((stretches) => {
    const pairs: Pair[] = [];
    let time = T0 - DAYS + 7_000;
    for (const { value, minutes } of stretches) {
      for (let minute = 0; minute < minutes && time < T0; minute += 1, time += MINUTE) {
        if (value !== undefined) pairs.push([time, value]);
      }
    }
    return pairs;
  })
  .filter(({ length }) => length > 0);

let devices = 0;

it('a dry run that reads only what can be wrong says what a look at every point says', async () => {
  await fc.assert(
    fc.asyncProperty(
      past,
      fc.record({
        measure: fc.constantFrom(...MEASURES),
        window: fc.constantFrom('5m', '30m', '2h'),
        bounds: fc.constantFrom({ above: 5 }, { below: 2 }, { outside: [2, 5] }, { equals: 4 }, { above: 0.04 }),
        clear: fc.constantFrom({ for: '10m' }, { for: '0s' }),
        no_data: fc.constantFrom('keep', 'clear', 'alert'),
      }),
      async (pairs, { measure, window, bounds, clear, no_data }) => {
        const device = `past-${(devices += 1)}`;
        const series = { deviceName: device, metricName: 'past', unit: undefined, labels: {} };
        await world.store.append(pairs.map(([timestamp, value]) => ({ ...series, timestamp, value })));
        const rule = readRule({
          ...{
            name: 'x',
            select: { device, metric: 'past' },
            condition: { ...bounds, measure, window },
            for: '3m',
            clear,
            no_data,
          },
        });
        const its = ruleOfDevice(rule)(device);
        const expected: [number, number | null][] = [];
        let progress = NORMAL;
        const samples = { timestamps: pairs.map(([time]) => time), values: pairs.map(([, value]) => value) };
        const aggregation = parseAggregation(measure) as Aggregation;
        for (let at = T0 - DAYS + GRID; at <= T0; at += GRID) {
          const value = aggregateSteps(samples, [at - windowOf(window), at], [aggregation])[0]?.[0] ?? NaN;
          const verdict = Number.isNaN(value) ? 'none' : judge(value, its);
          const after = advance(progress, { at, elapsed: GRID, verdict, value }, its.timing);
          if (isFiring(after) && !isFiring(progress)) expected.push([at, null]);
          if (!isFiring(after) && isFiring(progress)) expected.splice(-1, 1, [expected.at(-1)?.[0] ?? NaN, at]);
          progress = after.phase === 'normal' ? NORMAL : after;
        }
        const range = { start: T0 - DAYS, end: T0 };
        const { firings } = await dryRun(world.store, new DeviceRhythms(world.store), rule, range);
        expect(firings.map(({ began, ended }) => [began, ended])).toEqual(expected);
      },
    ),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 500 : 6 },
  );
}, 600_000);

const windowOf = (text: string): number => Number.parseInt(text) * (text.endsWith('h') ? 60 : 1) * MINUTE;
