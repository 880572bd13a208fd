import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HOUR } from './durations.js';
import { parseBytes, parseDuration } from './quantities.js';

it('reads durations and nothing else', () => {
  expect(['500ms', '30s', '5m', '1h', '7d', '2w', '1y'].map(parseDuration)).toEqual([
    500,
    30_000,
    300_000,
    HOUR,
    168 * HOUR,
    336 * HOUR,
    8760 * HOUR,
  ]);
  for (const text of ['', '5', 's', '0s', '-1h', '1M', '5 m', '999999999999w', '1.h', '.5h', '1e3s', '0.0001s'])
    expect(parseDuration(text)).toBeUndefined();
});

it('reads durations with a part of a unit, as collectors always did', () => {
  expect(['1.5h', '0.25s', '0.5d', '1.0004s'].map(parseDuration)).toEqual([1.5 * HOUR, 250, 12 * HOUR, 1_000]);
});

it('reads sizes and nothing else', () => {
  expect(['0', '1048576', '512MiB', '1 GiB', '1.5KiB'].map(parseBytes)).toEqual([0, 2 ** 20, 2 ** 29, 2 ** 30, 1536]);
  for (const text of ['', 'much', '-1', '1MB', '1  GiB', 'GiB', '99999999TiB'])
    expect(parseBytes(text)).toBeUndefined();
});

it('gives whole numbers that doubles hold, or nothing, for any text', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,20}(\.\d{1,20})?(ms|s|y|TiB|KiB)$/)), (text) => {
      for (const value of [parseDuration(text), parseBytes(text)])
        expect(value === undefined || Number.isSafeInteger(value)).toBe(true);
    }),
  );
});
