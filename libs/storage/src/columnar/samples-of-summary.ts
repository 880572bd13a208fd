import type { Summary } from '@device-metrics/domain';
import type { Column } from './column.js';

/**
 * What stands for the samples of an hour of which only the summary is left.
 *
 * - `mean`: one sample at the start of the hour.
 * - `ends`: the first and the last sample and, where a counter has started again between them, its peak before that: it
 *   has grown by exactly what these say if it started again once. Where its last value is its largest, the peak is not
 *   known, and the smallest value stands for it: it has grown by at least what these say.
 */
export function samplesOfSummary(summary: Readonly<Summary>, hourStart: number, kind: 'mean' | 'ends'): Column {
  if (kind === 'mean') return columnOf([[0, summary.sum / summary.count]]);
  const { first, last, min, max } = summary;
  const firstTime = summary.firstTime - hourStart;
  const lastTime = summary.lastTime - hourStart;
  const samples: [number, number][] = [[firstTime, first]];
  const between = max > last ? max : min;
  if (lastTime - firstTime > 1 && between !== first) samples.push([Math.floor((firstTime + lastTime) / 2), between]);
  if (lastTime > firstTime) samples.push([lastTime, last]);
  return columnOf(samples);
}

function columnOf(samples: readonly [number, number][]): Column {
  return {
    times: Uint32Array.from(samples, ([time]) => time),
    values: Float64Array.from(samples, ([, value]) => value),
  };
}
