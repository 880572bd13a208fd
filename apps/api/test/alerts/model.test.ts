import 'reflect-metadata';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { GRID, World } from './world.js';

const MINUTE = 60_000;
const LEVEL = 5;
/** A value counts for so long. */
const WINDOW = 5 * MINUTE;
const FOR = MINUTE;
const CLEAR = 45_000;

/** What happens before a look: a value, or nothing; then perhaps a crash. */
interface Step {
  readonly value: number | undefined;
  readonly crash: boolean;
}

/** The plain reference: what is said of a history of looks, found from their times alone. */
function expected(steps: readonly Step[]): string[] {
  const said: string[] = [];
  let newest: { value: number; time: number } | undefined;
  let since: number | undefined;
  let firing = false;
  steps.forEach(({ value }, index) => {
    const time = (index + 1) * GRID;
    if (value !== undefined) newest = { value, time };
    // Without data the state stays as it is.
    if (!newest || time - newest.time >= WINDOW) return;
    const isWrong = newest.value > LEVEL;
    if (isWrong === firing) since = undefined;
    else since ??= time;
    if (since === undefined || time - since < (firing ? CLEAR : FOR)) return;
    firing = !firing;
    since = undefined;
    said.push(`news ${firing ? 'firing' : 'over'} lab-pc-1`);
  });
  return said;
}

const run = fc.record({
  value: fc.constantFrom<number | undefined>(9, 9, 1, 1, undefined),
  looks: fc.integer({ min: 1, max: 9 }),
});
const steps = fc
  .tuple(fc.array(run, { minLength: 4, maxLength: 14 }), fc.array(fc.nat(100), { maxLength: 3 }))
  .map(([runs, crashes]) => {
    const values = runs.flatMap(({ value, looks }) => Array.from({ length: looks }, () => value));
    // What is said waits for half a minute: at the end nothing is left to be said.
    const quiet = Array.from({ length: 8 }, () => values.findLast((value) => value !== undefined));
    return [...values, ...quiet].map((value, index): Step => ({ value, crash: crashes.includes(index) }));
  });

it('says what a plain look at the whole history says: over gaps and crashes nothing is lost and nothing doubled', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const world = await World.open();
      try {
        await world.rule({
          name: 'hot',
          select: { metric: 'm' },
          condition: { above: LEVEL },
          for: '1m',
          clear: { for: '45s' },
        });
        for (const { value, crash } of all) {
          await world.looks(1, () => (value === undefined ? undefined : world.send(value)));
          if (crash) await world.restart();
        }
        await world.looks(4);
        expect(await world.told()).toEqual(expected(all));
      } finally {
        await world.close();
      }
    }),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 300 : 8 },
  );
}, 600_000);
