import {
  autoStep,
  inSlices,
  metricKind,
  parseAggregation,
  quote,
  toRfc3339,
  type Aggregation,
  type Series,
  type TimeRange,
} from '@device-metrics/domain';
import { divide, plan, rangeOf, read, type QueryLimit, type Steps } from '@device-metrics/query';
import type { SampleStore, SeriesSummary } from '@device-metrics/storage';
import { invalidInput } from '../../http/problem.js';
import { selectorOf } from '../../http/series-query.js';
import { rangeBefore } from '../range-before.js';
import { reportRange } from '../time-span.js';
import type { CompareQuery } from './compare-query.dto.js';
import type { CompareDto, ComparedSeriesDto } from './compare.dto.js';
import { OneUnit } from './one-unit.js';

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
  refuseClash(query);
  const { metric_name: metricName, step = 'auto', timezone = 'UTC', ...fleet } = query;
  const isCounter = metricKind(metricName) === 'counter';
  const name = query.aggregation ?? (isCounter ? 'rate' : 'mean');
  const aggregation = parseAggregation(name) as Aggregation;
  const asked = reportRange(query.start_time, query.end_time, now, timezone);
  const steps = divide({ step, aggregation: [name], timezone, fill: 'null' }, asked);
  const range = rangeOf(steps);
  const known = await store.findSeries({ ...selectorOf(fleet), metrics: [metricName] });
  const summaries = await store.summarize(known, range);
  const unit = new OneUnit(summaries, aggregation);
  const reader = new ValueReader(store, name, aggregation, unit, limit);

  const values = await reader.values(summaries, range);
  const before = rangeBefore(range, query);
  const valuesBefore = before && (await reader.values(await store.summarize(known, before), before));
  const meanOf = ({ series, summary }: SeriesSummary): number | null =>
    isCounter ? null : unit.mean(series, summary.sum / summary.count);
  const ranked = await rank(summaries, values, valuesBefore, meanOf, query);
  refuseLargeAnswer(ranked.length, steps);
  const columns = new Map<number, ArrayLike<number | null>>();
  const planned = await plan(store, { series: ranked.map(({ series }) => series), range, steps }, limit);
  for await (const table of read(store, planned)) columns.set(table.series.id, table.columns[0] ?? []);
  return {
    metric_name: metricName,
    aggregation: name,
    ...(unit.name !== null && { unit: unit.name }),
    start_time: toRfc3339(range.start),
    end_time: toRfc3339(range.end),
    ...(before && { before_start_time: toRfc3339(before.start), before_end_time: toRfc3339(before.end) }),
    step: steps.length,
    ...(planned.edgesMoved && { edges_moved: true }),
    timestamps: steps.bounds.slice(0, -1).map(toRfc3339),
    series: ranked.flatMap(({ series, ...numbers }) => {
      const column = columns.get(series.id);
      if (!column) return [];
      const inUnit = (value: number | null): number | null => unit.convert(series, value);
      return [
        { device_name: series.deviceName, labels: series.labels, ...numbers, values: Array.from(column, inUnit) },
      ];
    }),
  };
}

type Ranked = { readonly series: Series } & Omit<ComparedSeriesDto, 'device_name' | 'labels' | 'values'>;

/** The series with their numbers over the range, those first that were asked for; a series without a number is last. */
async function rank(
  summaries: readonly SeriesSummary[],
  values: ReadonlyMap<number, number>,
  valuesBefore: ReadonlyMap<number, number> | undefined,
  meanOf: (summary: SeriesSummary) => number | null,
  { top, bottom, rank_by = 'value' }: CompareQuery,
): Promise<Ranked[]> {
  const ranked = (one: SeriesSummary): Ranked => {
    const { series } = one;
    const value = values.get(series.id) ?? null;
    const numbers = { series, value, mean: meanOf(one) };
    if (!valuesBefore) return numbers;
    const before = valuesBefore.get(series.id) ?? null;
    const difference = value === null || before === null ? null : value - before;
    const percent =
      difference === null || before === null || before === 0 ? null : (difference / Math.abs(before)) * 100;
    return { ...numbers, before, difference, percent };
  };
  const all: Ranked[] = [];
  await inSlices(summaries, (one) => all.push(ranked(one)));
  const worst = bottom === undefined ? -Infinity : Infinity;
  const numberOf = (one: Ranked): number => {
    const number = one[rank_by];
    return number === null || number === undefined || Number.isNaN(number) ? worst : number;
  };
  return all
    .sort((a, b) => {
      const [x, y] = bottom === undefined ? [numberOf(b), numberOf(a)] : [numberOf(a), numberOf(b)];
      return x === y ? 0 : x - y;
    })
    .slice(0, Number(bottom ?? top ?? DEFAULT_TOP));
}

/** Reads what was asked for over a range as a whole. */
class ValueReader {
  constructor(
    private readonly store: SampleStore,
    private readonly name: string,
    private readonly aggregation: Aggregation,
    private readonly unit: OneUnit,
    private readonly limit: QueryLimit,
  ) {}

  /** By the id of the series; one that has no number is left out. */
  async values(summaries: readonly SeriesSummary[], range: TimeRange): Promise<ReadonlyMap<number, number>> {
    const found = new Map<number, number>();
    const add = (series: Series, value: number | null): void => {
      const converted = this.unit.convert(series, value);
      if (converted !== null) found.set(series.id, converted);
    };
    const { kind } = this.aggregation;
    if (kind !== 'quantile' && kind !== 'rate' && kind !== 'increase') {
      await inSlices(summaries, ({ series, summary }) =>
        add(series, kind === 'mean' ? summary.sum / summary.count : summary[kind]),
      );
      return found;
    }
    const bounds = [range.start, range.end];
    const length = range.end - range.start;
    const steps: Steps = { length, bounds, names: [this.name], aggregations: [this.aggregation], fill: 'null' };
    const planned = await plan(this.store, { series: summaries.map(({ series }) => series), range, steps }, this.limit);
    for await (const { series, columns } of read(this.store, planned)) add(series, columns[0]?.[0] ?? null);
    return found;
  }
}

function refuseClash({ top, bottom, offset, rank_by }: CompareQuery): void {
  if (top !== undefined && bottom !== undefined) {
    const reason = `must not come together with top, got ${quote(bottom)} and ${quote(top)}`;
    throw invalidInput([{ field: 'bottom', reason }]);
  }
  if (offset === undefined && rank_by !== undefined && rank_by !== 'value') {
    throw invalidInput([{ field: 'rank_by', reason: `goes with offset, which is missing, got ${quote(rank_by)}` }]);
  }
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
