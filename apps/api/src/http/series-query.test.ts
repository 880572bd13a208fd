import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { selectsSeries } from '@device-metrics/domain';
import { type SeriesQuery } from './series-query.dto.js';
import { selectorOf } from './series-query.js';

const selects = (query: SeriesQuery): ReturnType<typeof selectsSeries> => selectsSeries(selectorOf(query));

const series = { deviceName: 'lab-pc-1', metricName: 'system.cpu.utilization', labels: { cpu: '0', mode: 'user' } };

describe('selects', () => {
  it.each([
    [{}, true],
    [{ device_name: ['lab-pc-1'] }, true],
    [{ device_name: ['lab-pc'] }, false],
    [{ device_name: ['rack-*', 'lab-*'] }, true],
    [{ metric_name: ['system.*.utilization'] }, true],
    [{ metric_name: ['*'] }, true],
    [{ metric_name: ['*cpu'] }, false],
    [{ metric_name: ['system.cpu.utilization*utilization'] }, false],
    [{ label: ['cpu=0'] }, true],
    [{ label: ['cpu=0', 'mode=us*'] }, true],
    [{ label: ['cpu=1'] }, false],
    [{ label: ['toString=*'] }, false],
    [{ device_name: ['lab-pc-1'], label: ['cpu=1'] }, false],
  ])('%j: %j', (query, selected) => {
    expect(selects(query)(series)).toBe(selected);
  });

  it('reads * as a regular expression would read .*', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    fc.assert(
      fc.property(letters, letters, (pattern, text) => {
        const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 's').test(text);
        expect(selects({ device_name: [pattern] })({ ...series, deviceName: text })).toBe(expected);
      }),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 5_000 : 800 },
    );
  });
});
