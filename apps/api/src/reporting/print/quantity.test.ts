import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { count, quantity, unitOf } from './quantity.js';

const written = (value: number, unit: string | null, perSecond = false): string =>
  quantity(value, unitOf(unit, perSecond)).replace('\u00A0', ' ');

describe('a quantity', () => {
  it.each([
    [0, 'By', '0 B'],
    [0, '1', '0 %'],
    [0, 'ms', '0 ms'],
    [0, null, '0'],
    [1023, 'By', '1023 B'],
    [6.25 * 2 ** 30, 'By', '6.25 GiB'],
    [3, 'GiBy', '3 GiB'],
    [1500, 'By/s', '1.46 KiB/s'],
    [0.4242, '1', '42.4 %'],
    [1, '1', '100 %'],
    [-0.5, '1', '-50 %'],
    [250, '1', '250'],
    [90, 's', '90 s'],
    [5400, 's', '90 min'],
    [90_000, 's', '25 h'],
    [3_200_000, 's', '37 d'],
    [0.0021, 's', '2.1 ms'],
    [1500, 'ms', '1.5 s'],
    [3, 'h', '3 h'],
    [48.53, 'Cel', '48.5 °C'],
    [3.4e9, 'Hz', '3.4 GHz'],
    [0.5, 'kW', '500 W'],
    [412, '{process}', '412'],
    [34_560, null, '34.6 k'],
    [1.5e18, null, '1.5 E'],
    [1.7e308, null, '1.7e+308'],
    [2.5e18, '1', '2.5 E'],
    [4e18, 'By', '3.47 EiB'],
    [1e30, 'kW', '1e+33 W'],
    [1e13, 's', '1e+13 s'],
    [-0, 'By', '0 B'],
    [12.5, 'furlong', '12.5 furlong'],
    [1.25e15, 'furlong', '1.25e+15 furlong'],
  ])('%d of %s: %s', (value, unit, text) => {
    expect(written(value, unit)).toBe(text);
  });

  it.each([
    [2048, 'By', '2 KiB/s'],
    [0.35, 's', '35 %'],
    [35, 'ms', '3.5 %'],
    [120, 'J', '120 W'],
    [12.4, '{fault}', '12.4/s'],
    [5, '1', '5/s'],
    [5, 'furlong', '5 furlong/s'],
  ])('%d of %s in a second: %s', (value, unit, text) => {
    expect(written(value, unit, true)).toBe(text);
  });

  it('is right to three digits, whatever its size', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1e300, max: 1e300, noNaN: true }),
        fc.constantFrom('By', 'W', null, 'Cel'),
        (value, unit) => {
          const [number = '', symbol = ''] = written(value, unit).split(' ');
          const { divisor } = unitOf(unit).find((size) => size.symbol === symbol) ?? { divisor: 1 };
          expect(Math.abs(Number(number) * divisor - value)).toBeLessThanOrEqual(Math.abs(value) * 0.0051);
        },
      ),
    );
  });
});

it('a count has its digits in groups', () => {
  expect([5, 1234, 1234567].map(count)).toEqual(['5', '1\u202F234', '1\u202F234\u202F567']);
});
