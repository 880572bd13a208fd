import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BINARY_STEPS, valueRange, valueTicks } from '../src/charts/axes.js';
import { duration, formatterOf } from '../src/units.js';

const labels = (ticks: readonly number[], unit: string, metric = ''): readonly unknown[] =>
  (valueTicks(formatterOf(unit, metric)) as (plot: unknown, ticks: readonly number[]) => unknown[])(undefined, ticks);

describe('labels of the value axis', () => {
  it.each([
    ['By', [0, 2 ** 30, 2 ** 31], ['0 B', '1 GiB', '2 GiB']],
    ['1', [0, 0.25, 0.5, 1], ['0 %', '25 %', '50 %', '100 %']],
    ['1', [0.999, 0.9995, 1], ['99.9 %', '99.95 %', '100 %']],
    ['{packet}', [1e15, 1.0001e15, 1.0002e15, 1.0003e15], ['1 P', '1.0001 P', '1.0002 P', '1.0003 P']],
    ['{packet}', [123_400, 123_450, 123_500], ['123.4 k', '123.45 k', '123.5 k']],
    ['By', [2 ** 40, 2 ** 40 + 2 ** 30, 2 ** 40 + 2 ** 31], ['1 TiB', '1.001 TiB', '1.002 TiB']],
    ['Cel', [20, 20.05, 20.1], ['20 °C', '20.05 °C', '20.1 °C']],
    ['s', [0, 60, 3_600, 90_000], ['0 s', '1 min', '1 h', '1 d 1 h']],
    ['s', [172_800, 172_860, 172_920], ['2 d', '2 d 1 min', '2 d 2 min']],
    ['By', [0, 2 ** 60, 2 ** 61], ['0 B', '1 EiB', '2 EiB']],
    ['{packet}', [1e18, 1.5e18, 2e18], ['1 E', '1.5 E', '2 E']],
    ['s', [7_200, 7_200.5, 7_201], ['2 h', '2 h 0.5 s', '2 h 1 s']],
  ])('in %s at %j are %j', (unit, ticks, expected) => {
    expect(labels(ticks, unit)).toEqual(expected);
  });

  const units = fc.constantFrom(
    '',
    '1',
    'By',
    'By/s',
    'KiBy',
    's',
    'ms',
    's/s',
    'Cel',
    '%',
    'Hz',
    'W',
    '{packet}/s',
    'dBm',
  );

  it('differ from each other in every range, however narrow and far from zero', () => {
    const size = fc.tuple(fc.double({ min: -10, max: 10, noNaN: true }), fc.integer({ min: -12, max: 30 }));
    const step = fc.tuple(fc.constantFrom(1, 2, 2.5, 5), fc.integer({ min: -13, max: 0 }));
    fc.assert(
      fc.property(units, size, step, (unit, [factor, power], [round, digits]) => {
        const from = factor * 10 ** power;
        const distance = round * 10 ** (power + digits);
        const ticks = Array.from({ length: 6 }, (_, index) => from + index * distance);
        expect(new Set(labels(ticks, unit)).size).toBe(new Set(ticks).size);
      }),
    );
  });

  it('differ from each other wherever the values do', () => {
    const values = fc.uniqueArray(fc.double({ noNaN: true, noDefaultInfinity: true }), {
      maxLength: 12,
      comparator: 'SameValueZero',
    });
    fc.assert(
      fc.property(units, values, (unit, ticks) => {
        expect(new Set(labels(ticks, unit)).size).toBe(ticks.length);
      }),
    );
  });
});

it.each([
  [1e18, '{packet}', '1 E'],
  [1.7976931348623157e308, 'By', '1.80e+308 B'],
  [-5.249266862170088e305, 'W', '-5.25e+305 W'],
  [1e25, '1', '1.00e+27 %'],
  [1e-12, 'A', '1 pA'],
  [1e-9, 's', '1 ns'],
  [2_500, 'us', '2.50 ms'],
  [-0.04, 'Cel', '0.0 °C'],
  [-0.4, 'Cel', '-0.4 °C'],
  [-0, 'By', '0 B'],
  [1.7e308, '1', '1.70e+308'],
  [1.7e308, 'MBy', '1.70e+308 MBy'],
])('%d in %s is %s', (value, unit, text) => {
  expect(formatterOf(unit)(value)).toBe(text);
});

it('the axis of the largest double has an end', () => {
  expect(valueRange(Number.MAX_VALUE, Number.MAX_VALUE, true, false)[1]).toBe(Number.MAX_VALUE);
  expect(BINARY_STEPS.at(-1)).toBeGreaterThan(1e300);
});

it.each([
  [0, '0 s'],
  [0.00012, '120 µs'],
  [1.5, '1.50 s'],
  [184, '3 min 4 s'],
  [3_599, '1 h'],
  [86_399, '1 d'],
  [190_800, '2 d 5 h'],
  [400 * 86_400, '1 y 35 d'],
  [-120, '-2 min'],
  [2.5e13, '2.50e+13 s'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});
