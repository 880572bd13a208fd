import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SeriesByMetric } from './series-by-metric.js';

interface One {
  readonly metricName: string;
  readonly labelsKey: string;
}
const series = fc.record({ metricName: fc.constantFrom('a', 'b', 'c'), labelsKey: fc.constantFrom('{}', 'x', 'y') });
const key = ({ metricName, labelsKey }: One): string => `${metricName} ${labelsKey}`;

it('holds what a plain map by metric and labels holds, whatever is set and deleted', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), series)), (acts) => {
      const held = new SeriesByMetric<One>();
      const model = new Map<string, One>();
      for (const [isDeleted, one] of acts) {
        if (isDeleted) held.delete(one);
        else held.set(one);
        if (isDeleted) model.delete(key(one));
        else model.set(key(one), one);
      }
      expect(new Set(held.values())).toEqual(new Set(model.values()));
      expect(held.size).toBe(new Set([...model.values()].map(({ metricName }) => metricName)).size);
      for (const metricName of ['a', 'b', 'c']) {
        const ofMetric = [...model.values()].filter((one) => one.metricName === metricName);
        expect(new Set(held.ofMetric(metricName))).toEqual(new Set(ofMetric));
        for (const labelsKey of ['{}', 'x', 'y']) {
          expect(held.get(metricName, labelsKey)).toBe(model.get(key({ metricName, labelsKey })));
        }
      }
    }),
  );
});
