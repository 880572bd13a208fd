import 'reflect-metadata';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MINUTE } from '@device-metrics/domain';
import { GRID, World } from './world.js';

const LEVEL = 5;
/** A value counts for so long. */
const WINDOW = 5 * MINUTE;
const FOR = MINUTE;
const CLEAR = 45_000;

/** A look: what had been measured just before it and has come by then, the newest last; then perhaps a crash. */
interface Step {
  readonly came: readonly Reading[];
  readonly crash: boolean;
}

interface Reading {
  /** Looks from the start on. */
  readonly look: number;
  readonly value: number;
}

const LATENESS = 5 * MINUTE;
/** People hear of it so long after. */
const WAIT = 30_000;
/** How long before its look a value is measured. */
const BEFORE = 5_000;

/** The plain reference: what is said of a history of looks. */
function expected(steps: readonly Step[]): string[] {
  const said: string[] = [];
  const known: { readonly time: number; readonly value: number }[] = [];
  const valueAt = (time: number): number | undefined => {
    const its = known.filter((one) => one.time <= time && one.time > time - WINDOW);
    return its.sort((a, b) => a.time - b.time).at(-1)?.value;
  };
  let firing = false;
  /** For how long it has been the other way. */
  let held: number | undefined;
  let episode: { readonly began: number; ended: number | undefined; told: boolean } | undefined;
  /** Up to when late data changes nothing: while it counts the last look, else since when it is so. */
  let settled = 0;

  const observe = (at: number, value: number): void => {
    const isWrong = value > LEVEL;
    const [was, counted] = [firing, held !== undefined];
    if (isWrong === firing) held = undefined;
    else {
      held = held === undefined ? 0 : held + GRID;
      if (held >= (firing ? CLEAR : FOR)) {
        firing = !firing;
        held = undefined;
        if (firing) episode = { began: at, told: false, ...episode, ended: undefined };
        else if (episode?.told) episode.ended = at;
        else episode = undefined;
      }
    }
    if (held !== undefined || counted || firing !== was) settled = at;
  };

  steps.forEach(({ came }, index) => {
    const now = (index + 1) * GRID;
    for (const { look, value } of came) known.push({ time: (look + 1) * GRID - BEFORE, value });
    const oldest = came.reduce((first, { look }) => Math.min(first, (look + 1) * GRID - BEFORE), Infinity);
    if (index > 0 && oldest < now - 3 * GRID) {
      // All points of the last minutes are looked at again, but those that are settled.
      const start = Math.max(Math.floor(oldest / GRID) * GRID, now - LATENESS);
      const last = settled;
      for (let at = start + GRID; at < now; at += GRID) {
        const value = valueAt(at);
        if (value !== undefined && at > last) observe(at, value);
      }
    }
    // Without data the state stays as it is.
    const value = valueAt(now);
    if (value !== undefined) observe(now, value);
    if (episode && !episode.told && now - episode.began >= WAIT) {
      said.push('news firing lab-pc-1');
      episode.told = true;
    } else if (episode?.ended !== undefined && now - episode.ended >= WAIT) {
      said.push('news over lab-pc-1');
      episode = undefined;
    }
  });
  return said;
}

/** What is measured at looks one after the other; `isHeld`: it comes only with the next that comes at once. */
interface Run {
  readonly value: number | undefined;
  readonly looks: number;
  readonly isHeld?: boolean;
}

function stepsOf(runs: readonly Run[], crashes: readonly number[]): Step[] {
  // A new series is found within a minute: this one is there from the first look on.
  const measured = [{ value: 1, looks: 1 }, ...runs].flatMap(({ value, looks, isHeld = false }: Run) =>
    Array.from({ length: looks }, () => ({ value, isHeld })),
  );
  // What is said waits for half a minute: at the end nothing is left to be said.
  const value = measured.findLast((one) => one.value !== undefined)?.value;
  measured.push(...Array.from({ length: 30 }, () => ({ value, isHeld: false })));
  let held: Reading[] = [];
  let crashed = false;
  return measured.map((one, look): Step => {
    if (one.value !== undefined) held.push({ look, value: one.value });
    // After a crash nobody knows whether old samples are late or by a clock that is behind: one of now comes along.
    const isHeld = one.isHeld || (crashed && one.value === undefined);
    const came = isHeld ? [] : held;
    if (!isHeld) held = [];
    if (came.length > 0) crashed = false;
    if (crashes.includes(look)) crashed = true;
    return { came, crash: crashes.includes(look) };
  });
}

const run = fc.record({
  value: fc.constantFrom<number | undefined>(9, 9, 1, 1, undefined),
  looks: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 10, max: 30 })),
  isHeld: fc.boolean(),
});
const steps = fc
  .tuple(fc.array(run, { minLength: 4, maxLength: 14 }), fc.array(fc.nat(150), { maxLength: 3 }))
  .map(([runs, crashes]) => stepsOf(runs, crashes));

/** It comes late that it was wrong again while the end was still to be told. */
const wrongAgain = (crashes: readonly number[]): Step[] =>
  stepsOf(
    [
      { value: 9, looks: 30 },
      { value: 1, looks: 4 },
      { value: 9, looks: 5, isHeld: true },
      { value: 1, looks: 1 },
      { value: undefined, looks: 10 },
    ],
    crashes,
  );

it('says what a plain look at the whole history says: over gaps, late data and crashes nothing is lost and nothing doubled', async () => {
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
        for (const [index, { came, crash }] of all.entries()) {
          const ago = (look: number): number => (index - look) * GRID + BEFORE;
          await world.looks(1, async () => {
            for (const { look, value } of came) await world.send(value, 'lab-pc-1', ago(look));
          });
          if (crash) await world.restart();
        }
        expect(await world.told()).toEqual(expected(all));
      } finally {
        await world.close();
      }
    }),
    {
      numRuns: process.env['DEVICE_METRICS_LONG'] ? 300 : 4,
      examples: [[wrongAgain([])], [wrongAgain([36])]],
    },
  );
}, 1_200_000);
