import { quote, toRfc3339 } from '@device-metrics/contract';
import { autoStep } from '@device-metrics/domain';
import { divide, plan, rangeOf, read, type QueryLimit, type Steps } from '@device-metrics/query';
import type { SampleStore } from '@device-metrics/storage';
import { invalidInput } from '../../http/problem.js';
import { selectorOf } from '../../http/series-query.js';
import { reportRange } from '../time-span.js';
import type { CompareQuery } from './compare-query.dto.js';
import type { CompareDto, ComparedSeriesDto } from './compare.dto.js';

/** Numbers of one answer, which is in memory as a whole. */
const MAX_NUMBERS = 1_000_000;

/** Series are compared up to this number, when the query sets none. */
const DEFAULT_TOP = 10;

/** One metric of many devices on one time axis, the top or the bottom of them. */
export async function compare(
  store: SampleStore,
  query: CompareQuery,
  now: number,
  limit: QueryLimit,
): Promise<CompareDto> {
  if (query.top !== undefined && query.bottom !== undefined) {
    throw invalidInput([
      {
        field: 'bottom',
        reason: `must not come together with top, got ${quote(query.bottom)} and ${quote(query.top)}`,
      },
    ]);
  }
  const { step = 'auto', aggregation = 'mean', timezone = 'UTC' } = query;
  const asked = reportRange(query.start_time, query.end_time, now, timezone);
  const steps = divide({ step, aggregation: [aggregation], timezone, fill: 'null' }, asked);
  const range = rangeOf(steps);
  const { metric_name: metricName, ...fleet } = query;
  const known = await store.findSeries({ ...selectorOf(fleet), metrics: [metricName] });
  const summaries = await store.summarize(known, range);
  const ranked = summaries
    .map(({ series, summary }) => ({ series, mean: summary.sum / summary.count }))
    .sort((a, b) => (query.bottom === undefined ? b.mean - a.mean : a.mean - b.mean))
    .slice(0, Number(query.bottom ?? query.top ?? DEFAULT_TOP));

  refuseLargeAnswer(ranked.length, steps);
  const means = new Map(ranked.map(({ series, mean }) => [series.id, mean]));
  const compared: ComparedSeriesDto[] = [];
  const top = ranked.map(({ series }) => series);
  const planned = await plan(store, { series: top, range, steps }, limit);
  for await (const { series, columns } of read(store, planned)) {
    compared.push({
      device_name: series.deviceName,
      labels: series.labels,
      mean: means.get(series.id) ?? NaN,
      values: Array.from(columns[0] ?? []),
    });
  }
  const unit = known.find((series) => series.unit !== null)?.unit;
  return {
    metric_name: metricName,
    ...(unit && { unit }),
    start_time: toRfc3339(range.start),
    end_time: toRfc3339(range.end),
    step: steps.length,
    timestamps: steps.bounds.slice(0, -1).map(toRfc3339),
    series: compared,
  };
}

function refuseLargeAnswer(series: number, steps: Steps): void {
  const count = steps.bounds.length - 1;
  if (series * count <= MAX_NUMBERS) return;
  const fitting = autoStep(rangeOf(steps), MAX_NUMBERS / series / 2) / 1000;
  const reason =
    `must keep series times steps within ${MAX_NUMBERS}, got ${series} times ${count}: ` +
    `step=${fitting}s would, or fewer series by top or bottom`;
  throw invalidInput([{ field: 'step', reason }]);
}
