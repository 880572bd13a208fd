import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { aggregateSteps, parseAggregation, type Aggregation } from './step-aggregation.js';

const of = (name: string): Aggregation => parseAggregation(name) as Aggregation;

/** Samples with gaps, and a counter's resets, in steps of 10. */
const series = fc
  .uniqueArray(fc.tuple(fc.integer({ min: -20, max: 120 }), fc.integer({ min: 0, max: 1000 })), {
    selector: ([time]) => time,
    maxLength: 60,
  })
  .map((pairs) => pairs.sort(([a], [b]) => a - b));
const bounds = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100];

const run = (pairs: [number, number][], name: string): (number | null)[] =>
  aggregateSteps({ timestamps: pairs.map(([time]) => time), values: pairs.map(([, value]) => value) }, bounds, [
    of(name),
  ])[0] ?? [];

/** The plain computation: looks at all samples for each step. */
const plain = (pairs: [number, number][], f: (values: number[]) => number): (number | null)[] =>
  bounds.slice(1).map((end) => {
    const values = pairs.filter(([time]) => time >= end - 10 && time < end).map(([, value]) => value);
    return values.length === 0 ? null : f(values);
  });

describe('aggregateSteps equals a plain computation:', () => {
  const total = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  it.each<[string, (values: number[]) => number]>([
    ['count', (values) => values.length],
    ['sum', total],
    ['mean', (values) => total(values) / values.length],
    ['min', (values) => Math.min(...values)],
    ['max', (values) => Math.max(...values)],
    ['first', (values) => values[0] as number],
    ['last', (values) => values.at(-1) as number],
    ['p0', (values) => Math.min(...values)],
    ['p100', (values) => Math.max(...values)],
    [
      'p50',
      (values) => {
        const sorted = values.toSorted((a, b) => a - b);
        const half = sorted.length / 2;
        return Number.isInteger(half)
          ? ((sorted[half - 1] as number) + (sorted[half] as number)) / 2
          : (sorted[Math.floor(half)] as number);
      },
    ],
  ])('%s', (name, f) => {
    fc.assert(fc.property(series, (pairs) => expect(run(pairs, name)).toEqual(plain(pairs, f))));
  });

  it('increase and rate', () => {
    fc.assert(
      fc.property(series, (pairs) => {
        const grown = pairs.slice(1).map(([time, value], index) => {
          const [timeBefore, before] = pairs[index] as [number, number];
          return { time, increase: value >= before ? value - before : value, seconds: (time - timeBefore) / 1000 };
        });
        const steps = bounds.slice(1).map((end) => grown.filter(({ time }) => time >= end - 10 && time < end));
        const sumOf = (step: typeof grown, key: 'increase' | 'seconds'): number => step.reduce((a, b) => a + b[key], 0);

        expect(run(pairs, 'increase')).toEqual(steps.map((s) => (s.length === 0 ? null : sumOf(s, 'increase'))));
        run(pairs, 'rate').forEach((rate, index) => {
          const step = steps[index] ?? [];
          if (step.length === 0) expect(rate).toBeNull();
          else expect(rate).toBeCloseTo(sumOf(step, 'increase') / sumOf(step, 'seconds'), 6);
        });
      }),
    );
  });
});

it('knows aggregations by name', () => {
  expect(parseAggregation('p99.9')).toEqual({ kind: 'quantile', quantile: expect.closeTo(0.999, 9) });
  for (const name of ['', 'avg', 'p', 'p101', 'p-1', 'p1e1', 'quantile', 'MEAN'])
    expect(parseAggregation(name)).toBeUndefined();
});
