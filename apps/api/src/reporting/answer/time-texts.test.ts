import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { timeTexts } from './time-texts.js';

it('writes times as Date does, in whatever order they come', () => {
  const near = fc.integer({ min: -200_000_000, max: 200_000_000 });
  const any = fc.integer({ min: -8.64e15, max: 8.64e15 });
  fc.assert(
    fc.property(fc.array(fc.oneof(near, any)), (times) => {
      const each = times.flatMap((time) => [time, time]);
      expect(each.map(timeTexts())).toEqual(each.map((time) => new Date(time).toISOString()));
    }),
  );
});
