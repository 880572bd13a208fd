import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addSorted, quantilesOf, quantilesOfSorted } from './quantiles.js';

const quantiles = [0, 0.001, 0.25, 0.5, 0.9, 0.999, 1];

describe('quantiles', () => {
  it('are interpolated between the two nearest values', () => {
    const pieces = [Float64Array.of(4, 1), Float64Array.of(3, 2)];
    expect(quantilesOf(pieces, [0, 0.25, 0.5, 0.9, 1])).toEqual([1, 1.75, 2.5, expect.closeTo(3.7, 12), 4]);
    expect(quantilesOf([Float64Array.of(7)], [0, 0.5, 0.99])).toEqual([7, 7, 7]);
    expect(quantilesOf([Float64Array.of(-Number.MAX_VALUE, Number.MAX_VALUE)], [0.5])).toEqual([0]);
    expect(quantilesOf([Float64Array.of(0.1, 0.1)], [0.3])).toEqual([0.1]);
  });

  it('of sorted pieces are those of all values', () => {
    const value = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0));
    const piece = fc.array(fc.oneof(value, fc.integer({ min: -3, max: 3 })), { maxLength: 20 });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), (lists) => {
        fc.pre(lists.some((list) => list.length > 0));
        const sorted = lists.map((list) => Float64Array.from(list).sort());
        expect(quantilesOfSorted(sorted, quantiles)).toEqual(
          quantilesOf(
            lists.map((l) => Float64Array.from(l)),
            quantiles,
          ),
        );
        const joined: Float64Array[] = [];
        for (const one of sorted) addSorted(joined, one);
        expect(quantilesOfSorted(joined, quantiles)).toEqual(quantilesOfSorted(sorted, quantiles));
      }),
    );
  });

  it('of very many small pieces come from few that are joined', () => {
    const pieces: Float64Array[] = [];
    for (let number = 0; number < 30_000; number += 1) addSorted(pieces, Float64Array.of(number, number + 0.5, 1e6));
    expect(pieces.length).toBeLessThan(20);
    expect(pieces.reduce((sum, { length }) => sum + length, 0)).toBe(90_000);
    for (const piece of pieces) expect(piece).toEqual(piece.toSorted());
  });
});
