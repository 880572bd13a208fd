import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { longListsOf, parseInPieces } from './json-body.js';

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Object.values(value).reduce<number>((deepest, part) => Math.max(deepest, depthOf(part)), 0);
}

const text = fc.string({ unit: fc.constantFrom('"', '\\', '[', ']', '{', '}', ',', ':', 'a', 'é') });
const jsonOf = (depthSize: 'small' | 'large'): fc.Arbitrary<unknown> =>
  fc.letrec((tie) => ({
    any: fc.oneof({ depthSize }, text, fc.integer(), fc.array(tie('any')), fc.dictionary(text, tie('any'))),
  })).any;
const isRefused = async (body: string, limits = {}): Promise<boolean> =>
  (await longListsOf(body, limits)) === undefined;

it('the depth of any JSON is known without parsing it, whatever brackets, quotes and escapes stand in its strings', async () => {
  await fc.assert(
    fc.asyncProperty(jsonOf('large'), fc.integer({ min: 0, max: 6 }), async (value, depth) => {
      expect(await isRefused(JSON.stringify(value), { depth })).toBe(depthOf(value) > depth);
      expect(await isRefused(JSON.stringify(value, null, 2), { depth })).toBe(depthOf(value) > depth);
    }),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 1_000 : 20 },
  );
});

it('what is parsed in pieces is what is parsed at once, and what is no JSON is none', async () => {
  const list = fc.array(jsonOf('small'), { maxLength: 5 });
  const lists = fc.oneof(list, fc.array(list, { maxLength: 4 }), fc.dictionary(text, list, { maxKeys: 3 }));
  const damage = fc.option(fc.record({ at: fc.nat(), by: fc.constantFrom(',', ']', '[', '"', '}', ' ', '1') }));
  await fc.assert(
    fc.asyncProperty(lists, fc.integer({ min: 1, max: 20 }), damage, async (value, piece, change) => {
      let body = JSON.stringify(value);
      if (change) {
        const at = change.at % body.length;
        body = body.slice(0, at) + change.by + body.slice(at + 1);
      }
      const found = await longListsOf(body, { piece });
      let expected: unknown;
      try {
        expected = JSON.parse(body);
      } catch {
        await expect(parseInPieces(body, found ?? [], JSON.parse)).rejects.toThrow();
        return;
      }
      if (found) expect(await parseInPieces(body, found, JSON.parse)).toEqual(expected);
    }),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 1000 : 40 },
  );
});

it('very many names in one place are refused, and in many items they are not', async () => {
  const names = (count: number): string => Array.from({ length: count }, (_, index) => `"k${index}":1`).join();
  expect(await isRefused(`{${names(500_000)}}`)).toBe(true);
  expect(await isRefused(`{"metrics":[{${names(500_000)}}]}`)).toBe(true);
  expect(await isRefused(`[{"a":{${names(20_000)}},"b":{${names(20_000)}}}]`)).toBe(true);
  expect(await isRefused(`{"a":{${names(20_000)}},"metrics":[],"b":{${names(20_000)}}}`)).toBe(true);
  expect(
    await isRefused(
      `{"metrics":[${Array(20)
        .fill(`{${names(20_000)}}`)
        .join()}]}`,
    ),
  ).toBe(false);
});

it('what is no JSON takes no longer', async () => {
  expect(await isRefused('['.repeat(4_000_000))).toBe(true);
  expect(await isRefused('{"a":'.repeat(1_000_000))).toBe(true);
  expect(await isRefused('[],'.repeat(600_000))).toBe(true);
  expect(await isRefused('[1,1],'.repeat(400_000))).toBe(false);
  expect(await isRefused(']'.repeat(4_000_000))).toBe(false);
  expect(await isRefused(`"${'\\"'.repeat(2_000_000)}`)).toBe(true);
  expect(await isRefused(`"${'\\"'.repeat(1_000_000)}"`)).toBe(false);
  expect(await isRefused(`"${'\\'.repeat(4_000_000)}`)).toBe(false);
  expect(await isRefused('"'.repeat(4_000_001))).toBe(false);
});
