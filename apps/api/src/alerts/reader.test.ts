import { expect, it } from '@jest/globals';
import { DAY, MINUTE } from '@device-metrics/domain';
import { ObjectReader, type Mistake } from './reader.js';

it.each([
  [0, 400 * DAY, '401d', 'at most 400d'],
  [MINUTE, 7 * DAY, '8d', '1m to 7d'],
  [10_000, 60 * MINUTE, '5s', '10s to 1h'],
])('a duration from %d to %d ms that is %s is refused with what it may be', (min, max, given, allowed) => {
  const mistakes: Mistake[] = [];
  new ObjectReader({ for: given }, '', mistakes).duration('for', 0, min, max);
  const reason = `must be a duration of ${allowed}, written as 30s, 10m or 3d, got "${given}"`;
  expect(mistakes).toEqual([{ field: 'for', reason }]);
});
