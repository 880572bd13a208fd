import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isTooDeep } from './json-body.js';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Object.values(value).reduce<number>((deepest, part) => Math.max(deepest, depthOf(part)), 0);
}

it('the depth of any JSON is known without parsing it, whatever brackets, quotes and escapes stand in its strings', () => {
  const text = fc.string({ unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', 'a', 'é') });
  const json = fc.letrec((tie) => ({
    any: fc.oneof({ depthSize: 'large' }, text, fc.integer(), fc.array(tie('any')), fc.dictionary(text, tie('any'))),
  })).any;
  fc.assert(
    fc.property(json, fc.integer({ min: 0, max: 6 }), (value, most) => {
      expect(isTooDeep(JSON.stringify(value), most)).toBe(depthOf(value) > most);
      expect(isTooDeep(JSON.stringify(value, null, 2), most)).toBe(depthOf(value) > most);
    }),
  );
});

it('what is no JSON takes no longer', () => {
  expect(isTooDeep('['.repeat(4_000_000))).toBe(true);
  expect(isTooDeep('{"a":'.repeat(1_000_000))).toBe(true);
  expect(isTooDeep('[],'.repeat(600_000))).toBe(true);
  expect(isTooDeep('[1,1],'.repeat(400_000))).toBe(false);
  expect(isTooDeep(']'.repeat(4_000_000))).toBe(false);
  expect(isTooDeep(`"${'\\"'.repeat(2_000_000)}`)).toBe(false);
  expect(isTooDeep(`"${'\\'.repeat(4_000_000)}`)).toBe(false);
  expect(isTooDeep('"'.repeat(4_000_001))).toBe(false);
});
