import { expect, it } from '@jest/globals';
import { eachSample, inColumns, isColumns } from './sample-columns.js';
import type { Sample } from './sample.js';

it('very many samples say the same as columns, and those of one run share their series', async () => {
  const labels = { cpu: '0' };
  const sample = (at: number): Sample => ({
    deviceName: `pc-${at % 3}`,
    metricName: at < 9_000 ? 'm' : `m.${at % 2}`,
    unit: at % 5 === 0 ? 's' : undefined,
    labels: at < 9_000 ? labels : { cpu: String(at % 7) },
    timestamp: 1_700_000_000_000 + at,
    value: at / 8,
  });
  const samples = Array.from({ length: 20_000 }, (_, at) => sample(at));
  const columns = await inColumns(samples);
  expect(eachSample(columns)).toEqual(samples);

  const run = await inColumns(Array.from({ length: 20_000 }, (_, at) => ({ ...sample(0), timestamp: at })));
  expect(isColumns(run) && new Set(run.series).size).toBe(1);
  const few = samples.slice(0, 100);
  expect(await inColumns(few)).toBe(few);
});
