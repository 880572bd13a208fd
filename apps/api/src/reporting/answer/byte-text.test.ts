import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteText } from './byte-text.js';
import { jsonNumber } from './pieces.js';

const textOf = (add: (text: ByteText) => void): string => {
  const text = new ByteText();
  add(text);
  return text.take().toString();
};

it('writes numbers as JSON.stringify does, but for -0', () => {
  const decimal = fc
    .tuple(fc.maxSafeInteger(), fc.integer({ min: 0, max: 9 }))
    .map(([integer, digits]) => integer / 10 ** digits);
  const short = fc
    .tuple(fc.integer({ min: -2_000_000, max: 2_000_000 }), fc.integer({ min: 0, max: 9 }))
    .map(([integer, digits]) => integer / 10 ** digits);
  const mean = fc
    .tuple(
      fc.integer({ min: -2_000_000_000, max: 2_000_000_000 }),
      fc.integer({ min: 0, max: 6 }),
      fc.integer({ min: 1, max: 1_000 }),
    )
    .map(([sum, digits, count]) => sum / 10 ** digits / count);
  const dyadic = fc
    .tuple(fc.maxSafeInteger(), fc.integer({ min: 0, max: 60 }))
    .map(([integer, bits]) => integer / 2 ** bits);
  const usual = fc.double({ min: 0.001, max: 2e9, noNaN: true });
  const edge = fc
    .tuple(
      fc.constantFrom(1, 9, 10, 1e5, 1e6, 1e9, 1e12, 1e15, 2 ** 30, 2 ** 31, 2 ** 32, 2 ** 53),
      fc.integer({ min: -3, max: 3 }),
    )
    .chain(([power, more]) =>
      fc.constantFrom(power + more, power + more / 10, power + more / 1e6, (power + more) / 1e6),
    );
  fc.assert(
    fc.property(fc.oneof(fc.double(), fc.integer(), decimal, short, mean, dyadic, usual, edge), (value) => {
      const written = textOf((text) => text.number(value));
      return written === jsonNumber(value) && (Object.is(value, -0) || written === JSON.stringify(value));
    }),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 40_000 : 5_000 },
  );
  expect([null, undefined, -0, 0, NaN, Infinity].map((value) => textOf((text) => text.number(value)))).toEqual([
    'null',
    'null',
    '-0',
    '0',
    'null',
    'null',
  ]);
});

it('writes times as Date does, in whatever order they come', () => {
  const near = fc.integer({ min: -200_000_000, max: 200_000_000 });
  const any = fc.integer({ min: -8.64e15, max: 8.64e15 });
  const text = new ByteText();
  fc.assert(
    fc.property(fc.oneof(near, any), (time) => {
      text.time(time);
      expect(text.take().toString()).toBe(new Date(time).toISOString());
    }),
  );
});

it('holds as much as is added', () => {
  const text = new ByteText();
  const added: string[] = [];
  for (let index = 0; index < 20_000; index += 1) {
    text.text('a text,');
    text.number(index / 8);
    added.push(`a text,${index / 8}`);
  }
  expect(text.take().toString()).toBe(added.join(''));
  expect(text.take()).toHaveLength(0);
});
