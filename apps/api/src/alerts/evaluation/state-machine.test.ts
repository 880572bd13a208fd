import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { advance, isFiring, NORMAL, type Observation, type Timing } from './state-machine.js';

const GRID = 15_000;
type Verdict = Observation['verdict'];

/**
 * The plain reference: firing is found anew from the whole history. A run of wrong looks that lasts `for` begins it; a run of
 * right ones that lasts `clearFor` ends it.
 */
function firings(history: readonly { verdict: Verdict; elapsed: number }[], timing: Timing): boolean[] {
  const meant = history.map(({ verdict, elapsed }) => {
    if (verdict === 'error' || (verdict === 'none' && timing.noData === 'keep')) return { verdict: 'skip', elapsed };
    if (verdict === 'none') return { verdict: timing.noData === 'alert' ? 'wrong' : 'right', elapsed };
    return { verdict, elapsed };
  });
  const lasts = (end: number, wanted: string, least: number): boolean => {
    let length = 0;
    for (let at = end; at >= 0; at -= 1) {
      const look = meant[at] as { verdict: string; elapsed: number };
      if (look.verdict === 'skip') continue;
      if (look.verdict !== wanted) return false;
      if (length >= least) return true;
      length += look.elapsed;
    }
    return false;
  };
  let firing = false;
  return meant.map(({ verdict }, at) => {
    if (verdict === 'skip') return firing;
    const from = firing ? 'right' : 'wrong';
    if (lasts(at, from, firing ? timing.clearFor : timing.for)) firing = !firing;
    return firing;
  });
}

const verdict = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<Verdict>('wrong', 'right') },
  { weight: 1, arbitrary: fc.constantFrom<Verdict>('between', 'none', 'error') },
);
const look = fc.record({ verdict, elapsed: fc.constantFrom(GRID, GRID, GRID, 2 * GRID, 0) });
// Looks come in runs, as they do in life.
const history = fc
  .array(fc.tuple(look, fc.integer({ min: 1, max: 9 })), { maxLength: 30 })
  .map((runs) => runs.flatMap(([one, times]) => Array.from({ length: times }, () => one)));
const timing: fc.Arbitrary<Timing> = fc.record({
  for: fc.constantFrom(0, GRID, 4 * GRID, 10 * GRID),
  clearFor: fc.constantFrom(0, GRID, 3 * GRID),
  noData: fc.constantFrom('keep', 'clear', 'alert'),
});

/** The firing of each look; `restart` writes the state down and reads it again after each. */
function run(looks: readonly { verdict: Verdict; elapsed: number }[], times: Timing, restart = false): boolean[] {
  let progress = NORMAL;
  let at = 1_000;
  return looks.map(({ verdict, elapsed }) => {
    at += elapsed;
    progress = advance(progress, { at, elapsed, verdict, value: verdict === 'wrong' ? 2 : 1 }, times);
    if (restart) progress = JSON.parse(JSON.stringify(progress)) as typeof progress;
    return isFiring(progress);
  });
}

describe('the states of an alert', () => {
  it('fire as a plain look at the whole history says, over restarts too', () => {
    fc.assert(
      fc.property(history, timing, fc.boolean(), (looks, times, restart) => {
        expect(run(looks, times, restart)).toEqual(firings(looks, times));
      }),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 5_000 : 800 },
    );
  });

  it('never fire before it has been wrong for long enough, and not twice within what recovering takes', () => {
    fc.assert(
      fc.property(history, (looks) => {
        const times: Timing = { for: 4 * GRID, clearFor: 2 * GRID, noData: 'keep' };
        const firing = run(looks, times);
        const begins = firing.filter((now, index) => now && firing[index - 1] !== true).length;
        const lasted = looks.reduce((sum, { elapsed }) => sum + elapsed, 0);
        expect(begins).toBeLessThanOrEqual(Math.floor(lasted / (6 * GRID)) + 1);
      }),
    );
  });
});
