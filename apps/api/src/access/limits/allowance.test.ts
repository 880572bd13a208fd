import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Allowance } from './allowance.js';

it('in the long run nobody gets more than so much a second, but for what they saved up and one large piece', () => {
  const wish = fc.record({ wait: fc.integer({ min: 0, max: 5_000 }), amount: fc.integer({ min: 1, max: 400 }) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.array(wish), (perSecond, wishes) => {
      let now = 0;
      let taken = 0;
      const allowance = new Allowance(perSecond, () => now);
      for (const { wait, amount } of wishes) {
        now += wait;
        if (allowance.take('a', amount) === undefined) taken += amount;
      }
      expect(taken).toBeLessThanOrEqual((now / 1_000) * perSecond + perSecond * 10 + 400);
    }),
  );
});

it('says when there is something left again; others are not held up', () => {
  let now = 0;
  const allowance = new Allowance(10, () => now);
  expect(allowance.take('a', 150)).toBeUndefined();
  expect(allowance.take('a', 1)).toBe(6);
  expect(allowance.take('b', 1)).toBeUndefined();
  now += 6_000;
  expect(allowance.take('a', 1)).toBeUndefined();
});

it('0 limits nothing', () => {
  const allowance = new Allowance(0);
  for (let n = 0; n < 100; n += 1) expect(allowance.take('a', 1e9)).toBeUndefined();
});

it('forgets those who have something left before those who have not', () => {
  const allowance = new Allowance(1, () => 0);
  allowance.take('greedy', 1_000);
  for (let n = 0; n < 10_001; n += 1) allowance.take(`n${n}`, 1);
  expect(allowance.take('greedy', 1)).toBeGreaterThan(900);
});

it('is shared out among the processes that there are', () => {
  let processes = 1;
  const allowance = new Allowance(
    30,
    () => 0,
    () => processes,
  );
  const taken = (name: string): number => {
    let count = 0;
    while (count < 1_000 && allowance.take(name, 1) === undefined) count += 1;
    return count;
  };
  const alone = taken('alone');
  processes = 3;
  expect(taken('one of three')).toBe(alone / 3);
});
