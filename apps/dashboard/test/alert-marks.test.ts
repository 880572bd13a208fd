import { expect, it } from '@jest/globals';
import { levelsOf } from '../src/data/alert-marks.js';
import type { ChartSpec } from '../src/data/chart-specs.js';

const device = { device_name: 'lab-pc-1', tags: {} };
const rule = (select: object, condition: object): Parameters<typeof levelsOf>[0][number] => ({
  name: 'Full',
  origin: 'database',
  document: { name: 'Full', select, condition },
  etag: '"1"',
});
const spec: ChartSpec = {
  id: 'm',
  title: 'm',
  metrics: ['system.memory.utilization'],
  unit: '1',
  show: 'stack',
  rate: false,
};
const valuesOf = (of: ReturnType<typeof rule>, chart: ChartSpec, lowest?: string): number[] =>
  levelsOf([of], device, chart, lowest).map(({ value }) => value);

it('a level stands on a stack where the layer that it is of is the lowest, whose height is its value', () => {
  const used = rule({ metric: 'system.memory.*', label: 'system.memory.state=used' }, { above: 0.95 });
  expect(valuesOf(used, spec, 'used')).toEqual([0.95]);
  expect(valuesOf(used, spec, 'cached')).toEqual([]);
  expect(valuesOf(used, spec)).toEqual([]);
  expect(valuesOf(rule({ metric: 'system.memory.*' }, { above: 0.95 }), spec, 'used')).toEqual([]);
});

it('a level of a share stands on a stack of shares, and no other does', () => {
  const shares: ChartSpec = { ...spec, rate: true, shares: true };
  const select = { metric: 'system.memory.*', label: 'system.memory.state=used' };
  expect(valuesOf(rule(select, { above: 0.9, measure: 'share' }), shares, 'used')).toEqual([0.9]);
  expect(valuesOf(rule(select, { above: 0.9, measure: 'rate' }), shares, 'used')).toEqual([]);
});

it('a chart of lines has the levels of what it draws', () => {
  const lines: ChartSpec = { ...spec, show: 'lines' };
  for (const [measure, expected] of [
    ['last', [3]],
    ['mean', [3]],
    ['p95', [3]],
    ['rate', []],
    ['sum', []],
    ['share', []],
  ] as const) {
    expect([measure, valuesOf(rule({ metric: 'system.*' }, { above: 3, measure }), lines)]).toEqual([
      measure,
      expected,
    ]);
  }
  const rate: ChartSpec = { ...lines, rate: true };
  expect(valuesOf(rule({ metric: 'system.*' }, { above: 3, measure: 'rate' }), rate)).toEqual([3]);
});

it('a level, which is of the unit of the metric catalogue, stands on a chart in the unit of that', () => {
  const hot = rule({ metric: 'hw.temperature' }, { above: 90 });
  const chart: ChartSpec = {
    ...spec,
    metrics: ['hw.temperature'],
    show: 'lines',
    unit: '[degF]',
    sampleUnit: '[degF]',
  };
  expect(valuesOf(hot, chart)).toEqual([194]);
  expect(valuesOf(hot, { ...chart, unit: 'Cel', sampleUnit: 'Cel' })).toEqual([90]);
  const fast = rule({ metric: 'system.network.io' }, { above: 2000, measure: 'rate' });
  const traffic: ChartSpec = { ...chart, metrics: ['system.network.io'], unit: 'kBy/s', sampleUnit: 'kBy', rate: true };
  expect(valuesOf(fast, traffic)).toEqual([2]);
});
