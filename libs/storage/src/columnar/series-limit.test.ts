import { describe, expect, it } from '@jest/globals';
import { SeriesLimit } from './series-limit.js';

const limits = { maxSeriesPerDevice: 10, maxNewSeriesPerMinute: 0 };

describe('the limit of series', () => {
  it.each([
    [300, 'grows, it has 300 values'],
    [30_000, 'grows, it has at least 1000 values'],
  ])('of %d series of a metric names the label that grows, and looks at some of them at the most', (count, said) => {
    let asked = 0;
    const metrics = {
      size: 1,
      *ofMetric() {
        for (let pid = 0; pid < count; pid += 1) {
          asked += 1;
          yield { series: { labels: { cpu: '0', pid: `${pid}` } } };
        }
      },
    };
    const limit = new SeriesLimit(limits, () => 0);
    const refusal = limit.take({ name: 'pc', seriesCount: 10, metrics }, 'cpu.time');
    expect(refusal?.reason).toContain(`label "pid" of "cpu.time" ${said}`);
    expect(asked).toBeLessThanOrEqual(1001);
  });
});
