import { describe, expect, it } from '@jest/globals';
import { inBaseUnit } from './units.js';

describe('the base unit', () => {
  it.each([
    [2, 'KiB', 2048, 'By'],
    [1.5, 'GiB', 1.5 * 2 ** 30, 'By'],
    [3, 'kB', 3000, 'By'],
    [21.3, '%', 0.213, '1'],
    [99.97, '%', 0.9997, '1'],
    [32, '°F', 0, 'Cel'],
    [212, '[degF]', 100, 'Cel'],
    [-40, '°F', -40, 'Cel'],
    [21.5, '°C', 21.5, 'Cel'],
    [300, 'K', 26.85, 'Cel'],
    [90, 'min', 5400, 's'],
    [250, 'ms', 0.25, 's'],
    [1.2, 'kW', 1200, 'W'],
    [230, 'mA', 0.23, 'A'],
    [1, 'kWh', 3_600_000, 'J'],
    [1013, 'hPa', 101_300, 'Pa'],
    [100, 'Mbit/s', 100_000_000, 'bit/s'],
    [1200, 'RPM', 1200, 'rpm'],
    [7, 'lx', 7, 'lx'],
    [7, '{ticket}', 7, '{ticket}'],
  ])('of %d %s is %d %s', (value, unit, base, baseUnit) => {
    expect(inBaseUnit(value, unit)).toEqual({ value: base, unit: baseUnit });
  });

  it('of no unit is none, and mega is not milli', () => {
    expect(inBaseUnit(5, undefined)).toEqual({ value: 5 });
    expect(inBaseUnit(5, 'mW').value).toBe(0.005);
    expect(inBaseUnit(5, 'MW').value).toBe(5e6);
  });
});
