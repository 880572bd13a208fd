import { includeSummary, inSlices, Slices, type Series, type Summary, type TimeRange } from '@device-metrics/domain';
import { sliceColumn, type Column } from './column.js';
import { forEachHour, type DeviceHour } from './device-hour.js';
import type { Heads, HeadSnapshot } from './heads.js';
import { END_OF_TIME, HOUR, hourOf } from './hour.js';
import { samplesOfSummary } from './samples-of-summary.js';
import type {
  ReadOptions,
  SeriesLatest,
  SeriesSamples,
  SeriesSteps,
  SeriesSummary,
  StepQuery,
  Tier,
} from '../store.js';
import type { PieceReader, Pieces } from './pieces.js';
import type { SeriesCatalogue } from './series-catalogue.js';
import { StepAggregator } from './steps.js';

/** How many hours of series are in memory at a time when samples are read: some 1.5 million samples every 10 s. */
const PASS = 4096;

/** Series of one device that follow each other in what a caller asked for. */
interface DeviceSeries {
  readonly deviceId: number;
  readonly series: Series[];
}

type WantsSamples = Parameters<Pieces['reader']>[2];

/** What one query reads from. */
interface Sight {
  readonly heads: HeadSnapshot;
  readonly reader: PieceReader;
}

/** Reads what is in chunks and heads. */
export class Queries {
  constructor(
    private readonly catalogue: SeriesCatalogue,
    private readonly heads: Heads,
    private readonly pieces: Pieces,
  ) {}

  async *samples(
    series: readonly Series[],
    asked: TimeRange,
    { summaries }: ReadOptions,
  ): AsyncGenerator<SeriesSamples> {
    const range = within(asked);
    const slices = new Slices();
    const groups = await this.byDevice(series, slices, seriesPerPass(range));
    const sight = this.sight(groups, range, 'of all hours');
    try {
      for (const { deviceId, series: some } of groups) {
        const found = new Map(some.map(({ id }) => [id, new HourlyRuns()]));
        const wanted = new Set(found.keys());
        await this.forEachHour(sight, deviceId, range, slices, (hour) => {
          if (summaries && hour.hasOnlyStats) {
            return hour.summaries(range, wanted, (id, summary) =>
              found.get(id)?.add(hour.start, samplesOfSummary(summary, hour.start, summaries)),
            );
          }
          return hour.withSamples(() => {
            for (const [id, column] of hour.columns(wanted)) {
              found.get(id)?.add(hour.start, sliceColumn(column, range.start - hour.start, range.end - hour.start));
            }
          });
        });
        for (const one of some) {
          const pieces = found.get(one.id);
          if (pieces && pieces.count > 0) yield { series: one, ...pieces.joined() };
          // What is done with one of them takes its time as well.
          if (slices.isOver()) await slices.next();
        }
      }
    } finally {
      this.heads.letGo(sight.heads);
    }
  }

  async summaries(series: readonly Series[], asked: TimeRange): Promise<SeriesSummary[]> {
    const range = within(asked);
    const slices = new Slices();
    const found = new Map<number, Summary>();
    const include = (id: number, summary: Readonly<Summary>): void => {
      const known = found.get(id);
      if (known) includeSummary(known, summary);
      else found.set(id, { ...summary });
    };
    const groups = await this.byDevice(series, slices);
    const sight = this.sight(groups, range, 'of hours that it cuts');
    try {
      for (const { deviceId, series: some } of groups) {
        const wanted = new Set(some.map(({ id }) => id));
        await this.forEachHour(sight, deviceId, range, slices, (hour) => hour.summaries(range, wanted, include));
      }
    } finally {
      this.heads.letGo(sight.heads);
    }
    const inOrder: SeriesSummary[] = [];
    const add = (one: Series): void => {
      const summary = found.get(one.id);
      if (summary) inOrder.push({ series: one, summary });
    };
    await inSlices(series, add, slices);
    return inOrder;
  }

  async *steps(series: readonly Series[], query: StepQuery): AsyncGenerator<SeriesSteps> {
    const range = within(query.range);
    const slices = new Slices();
    const groups = await this.byDevice(series, slices, seriesPerPass(range));
    const sight = this.sight(groups, range, query.step >= HOUR ? 'of hours that it cuts' : 'of all hours');
    try {
      for (const { deviceId, series: some } of groups) {
        const found = new Map(some.map(({ id }) => [id, new StepAggregator({ ...query, range })]));
        const wanted = new Set(found.keys());
        await this.forEachHour(sight, deviceId, range, slices, (hour) => {
          if (hour.hasOnlyStats || isWithinStep(hour.start, range, query.step)) {
            return hour.summaries(range, wanted, (id, summary) => found.get(id)?.addSummary(hour.start, summary));
          }
          return hour.withSamples(() => {
            for (const [id, column] of hour.columns(wanted)) {
              const inside = sliceColumn(column, range.start - hour.start, range.end - hour.start);
              found.get(id)?.addColumn(hour.start, inside);
            }
          });
        });
        for (const one of some) {
          const steps = found.get(one.id)?.finish();
          if (steps && steps.starts.length > 0) yield { series: one, ...steps };
          if (slices.isOver()) await slices.next();
        }
      }
    } finally {
      this.heads.letGo(sight.heads);
    }
  }

  /** Up to the end of the last hour of which only the summaries are left, and from there on. */
  async tiers(deviceName: string, asked: TimeRange): Promise<Tier[]> {
    const device = this.catalogue.device(deviceName);
    const { start, end } = within(asked);
    if (end <= start) return [];
    const hour = device && (await this.pieces.lastBareHour(device.id, Math.ceil(start / HOUR), hourOf(end - 1) + 1));
    if (hour === undefined) return [{ start, end, resolution: 0 }];
    const bareEnd = (hour + 1) * HOUR;
    const bare = { start, end: bareEnd, resolution: HOUR };
    return bareEnd < end ? [bare, { start: bareEnd, end, resolution: 0 }] : [bare];
  }

  /** @param oldestKept older samples have been deleted. */
  async latest(series: readonly Series[], oldestKept: number): Promise<SeriesLatest[]> {
    const { latest } = this.catalogue;
    const found: SeriesLatest[] = [];
    await inSlices(series, (one) => {
      if (!this.catalogue.get(one.id)) return;
      const timestamp = latest.timeOf(one.id);
      if (timestamp >= oldestKept) found.push({ series: one, timestamp, value: latest.valueOf(one.id) });
    });
    return found;
  }

  /** The heads come first: what is sealed between the two is seen twice, and never not at all. */
  private sight(groups: readonly DeviceSeries[], range: TimeRange, wantsSamples: WantsSamples): Sight {
    const ids = groups.map(({ deviceId }) => deviceId);
    const heads = this.heads.snapshot(ids);
    return { heads, reader: this.pieces.reader(ids, range, wantsSamples) };
  }

  private forEachHour(
    { heads, reader }: Sight,
    deviceId: number,
    range: TimeRange,
    slices: Slices,
    visit: (hour: DeviceHour) => Promise<void> | undefined,
  ): Promise<void> {
    return forEachHour(deviceId, range, heads, this.pieces, reader, slices, visit);
  }

  /** Series that follow each other and are of one device, at most `limit` together, so that its chunks are read once. */
  private async byDevice(series: readonly Series[], slices: Slices, limit = Infinity): Promise<DeviceSeries[]> {
    const groups: DeviceSeries[] = [];
    const add = (one: Series): void => {
      const deviceId = this.catalogue.get(one.id)?.device.id;
      if (deviceId === undefined) return;
      const last = groups.at(-1);
      if (last?.deviceId === deviceId && last.series.length < limit) last.series.push(one);
      else groups.push({ deviceId, series: [one] });
    };
    await inSlices(series, add, slices);
    return groups;
  }
}

/** The part of a range that can hold samples. */
function within({ start, end }: TimeRange): TimeRange {
  return { start: Math.max(0, start), end: Math.min(END_OF_TIME, end) };
}

function seriesPerPass({ start, end }: TimeRange): number {
  return Math.max(1, Math.floor(PASS / Math.max(1, (end - start) / HOUR)));
}

/** Whether an hour lies in one step as a whole. */
function isWithinStep(hourStart: number, range: TimeRange, step: number): boolean {
  const before = Math.floor((hourStart - range.start) / step);
  const after = Math.floor((hourStart + HOUR - 1 - range.start) / step);
  return before === after && hourStart >= range.start && hourStart + HOUR <= range.end;
}

/** The samples of one series, collected hour by hour. */
class HourlyRuns {
  count = 0;
  private readonly pieces: { readonly start: number; readonly column: Column }[] = [];

  add(start: number, column: Column): void {
    if (column.times.length === 0) return;
    // A copy, since a column can be the memory of a head, or a small part of a large one.
    this.pieces.push({ start, column: { times: column.times.slice(), values: column.values.slice() } });
    this.count += column.times.length;
  }

  joined(): { timestamps: Float64Array; values: Float64Array } {
    const timestamps = new Float64Array(this.count);
    const values = new Float64Array(this.count);
    let at = 0;
    for (const { start, column } of this.pieces) {
      values.set(column.values, at);
      for (const time of column.times) timestamps[at++] = start + time;
    }
    return { timestamps, values };
  }
}
