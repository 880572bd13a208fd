import { copyOfSummary, HOUR, inSlices, Slices, type Series, type TimeRange } from '@device-metrics/domain';
import { sliceColumn, type Column } from './column.js';
import { forEachHour, type DeviceHour } from './device-hour.js';
import type { Heads, HeadSnapshot } from './heads.js';
import { END_OF_TIME, hourOf } from './hour.js';
import { inPasses, type Pass } from './pass.js';
import { SampleRun } from './sample-run.js';
import { samplesOfSummary } from './samples-of-summary.js';
import type {
  ReadOptions,
  SeriesLatest,
  SeriesSamples,
  SeriesSteps,
  SeriesSummary,
  StepQuery,
  SummaryPart,
  Tier,
} from '../store.js';
import type { PieceReader, Pieces, VisitSummary } from './pieces.js';
import type { SeriesCatalogue } from './series-catalogue.js';
import type { Device } from './series-entry.js';
import type { DeviceRun } from './series-places.js';
import { StepAggregator, StepDivision } from './steps.js';
import { SummaryRows } from './summary-rows.js';
import type { Wanted } from './wanted.js';
import { WantedSeries } from './wanted-series.js';

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

  samples(series: readonly Series[], asked: TimeRange, { summaries }: ReadOptions): AsyncGenerator<SeriesSamples> {
    const range = within(asked);
    const visit = (hour: DeviceHour, pass: Pass<SampleRun>): Promise<void> | undefined => {
      const { start } = hour;
      const add = (id: number, { times, values }: Column): void => {
        if (times.length > 0) pass.of(id).add(start, times, values);
      };
      if (summaries && hour.hasOnlyStats) {
        return hour.summaries(range, pass.wanted, (id, summary) =>
          add(id, samplesOfSummary(summary, start, summaries)),
        );
      }
      return hour.withSamples(() => {
        for (const [id, column] of hour.columns(pass.wanted, range)) {
          add(id, sliceColumn(column, range.start - start, range.end - start));
        }
      });
    };
    const finish = (one: Series, run: SampleRun): SeriesSamples => ({ series: one, ...run.finish() });
    return this.collect(series, range, 'of all hours', () => new SampleRun(), visit, finish);
  }

  async summaries(series: readonly Series[], range: TimeRange): Promise<SeriesSummary[]> {
    const slices = new Slices();
    const rows = new SummaryRows();
    await this.addSummaries(rows, series, 0, series.length, range, slices);
    const inOrder: SeriesSummary[] = [];
    const add = (one: Series, place: number): void => {
      const summary = rows.of(place);
      if (summary) inOrder.push({ series: one, summary: copyOfSummary(summary) });
    };
    await inSlices(series, add, slices);
    return inOrder;
  }

  async *summariesInParts(series: readonly Series[], range: TimeRange): AsyncGenerator<SummaryPart> {
    const slices = new Slices();
    const rows = new SummaryRows();
    for (let from = 0; from < series.length; from = rows.to) {
      let to = Math.min(from + PART, series.length);
      while (to < series.length && series[to].deviceName === series[to - 1].deviceName) to += 1;
      await this.addSummaries(rows, series, from, to, range, slices);
      yield rows;
      if (slices.isOver()) await slices.next();
    }
  }

  /** Makes `rows` the summaries of the series from one place to before another. */
  private async addSummaries(
    rows: SummaryRows,
    series: readonly Series[],
    from: number,
    to: number,
    asked: TimeRange,
    slices: Slices,
  ): Promise<void> {
    const range = within(asked);
    rows.begin(from, to);
    const runs = await this.runsOf(series, from, to, slices);
    const ids = runs.map(({ device }) => device.id);
    const sight = this.sight(ids, range, 'of hours that it cuts');
    // One for all devices: what is made for each of a fleet is megabytes.
    const reused = new WantedSeries(this.catalogue);
    let wanted = reused;
    let all = [reused];
    let last = -1;
    const include: VisitSummary = (id, summary) => {
      const place = wanted.placeOf(id);
      if (place >= 0) rows.include(place, summary);
    };
    const visitAll = async (hour: DeviceHour): Promise<void> => {
      for (wanted of all) {
        if (slices.isOver()) await slices.next();
        await hour.summaries(range, wanted, include);
      }
    };
    const visit = (hour: DeviceHour, place: number): Promise<void> | undefined => {
      if (place !== last) all = this.wantedOf(series, runs[place], reused);
      if (place !== last) wanted = reused;
      last = place;
      return all.length === 1 ? hour.summaries(range, wanted, include) : visitAll(hour);
    };
    try {
      await this.forEachHour(sight, ids, range, slices, visit);
    } finally {
      this.heads.letGo(sight.heads);
    }
  }

  /** Series of one device that follow each other; those that are gone may be between. */
  private async runsOf(series: readonly Series[], from: number, to: number, slices: Slices): Promise<DeviceRun[]> {
    const runs: DeviceRun[] = [];
    let device: Device | undefined;
    let first = from;
    for (let at = from; at < to; at += 1) {
      const its = this.catalogue.get(series[at].id)?.device;
      if (its && its !== device) {
        if (device) runs.push({ device, from: first, to: at });
        device = its;
        first = at;
      }
      if (at % WITHOUT_LOOK === 0 && slices.isOver()) await slices.next();
    }
    if (device) runs.push({ device, from: first, to });
    return runs;
  }

  /** The series of a run: of very many only some at a time. */
  private wantedOf(series: readonly Series[], { device, from, to }: DeviceRun, reused: WantedSeries): WantedSeries[] {
    let wanted = reused.begin(device);
    const all = [wanted];
    for (let at = from; at < to; at += 1) {
      const entry = this.catalogue.get(series[at].id);
      if (entry?.device !== device) continue;
      if (wanted.size === MOST_AT_A_TIME) all.push((wanted = new WantedSeries(this.catalogue).begin(device)));
      wanted.add(entry, at);
    }
    return all;
  }

  steps(series: readonly Series[], query: StepQuery): AsyncGenerator<SeriesSteps> {
    const range = within(query.range);
    const ofGrowth = query.aggregates.includes('grown');
    const visit = (hour: DeviceHour, pass: Pass<StepAggregator>): Promise<void> | undefined => {
      const { start } = hour;
      const addSummary: VisitSummary = (id, summary) => pass.of(id).addSummary(start, summary);
      const addSamples = (wanted: Wanted): Promise<void> | undefined =>
        hour.withSamples(() => {
          for (const [id, column] of hour.columns(wanted, range)) {
            const inside = sliceColumn(column, range.start - start, range.end - start);
            if (inside.times.length > 0) pass.of(id).addColumn(start, inside);
          }
        });
      const isWhole = isWithinStep(start, range, query.step);
      if (hour.hasOnlyStats || (isWhole && !ofGrowth)) return hour.summaries(range, pass.wanted, addSummary);
      const others = isWhole ? hour.rising(pass.wanted, addSummary) : pass.wanted;
      return others.size > 0 ? addSamples(others) : undefined;
    };
    const division = new StepDivision({ ...query, range });
    const make = (): StepAggregator => new StepAggregator(division);
    const wantsSamples = query.step >= HOUR ? 'of hours that it cuts' : 'of all hours';
    const finish = (one: Series, steps: StepAggregator): SeriesSteps => {
      const { starts, columns } = steps.finish();
      return { series: one, starts, columns };
    };
    return this.collect(series, range, wantsSamples, make, visit, finish);
  }

  /** What `finish` makes of what `visit` collects of each series while the hours of its device go by, in the order of `series`. */
  private async *collect<T extends { readonly count: number }, Found>(
    series: readonly Series[],
    range: TimeRange,
    wantsSamples: WantsSamples,
    make: () => T,
    visit: (hour: DeviceHour, pass: Pass<T>) => Promise<void> | undefined,
    finish: (series: Series, collected: T) => Found,
  ): AsyncGenerator<Found> {
    const slices = new Slices();
    const groups = await this.byDevice(series, slices);
    const sight = this.sight(
      groups.map(({ deviceId }) => deviceId),
      range,
      wantsSamples,
    );
    const goThrough = ({ deviceId }: DeviceSeries, pass: Pass<T>): Promise<void> =>
      this.forEachHour(sight, [deviceId], range, slices, (hour) => {
        const pending = visit(hour, pass);
        if (pending) return pending.then(() => pass.makeRoom());
        pass.makeRoom();
        return undefined;
      });
    try {
      for await (const pass of inPasses(groups, make, goThrough)) {
        for (const one of pass.series) {
          const collected = pass.found.get(one.id);
          if (!collected) continue;
          yield finish(one, collected);
          // What is done with one of them takes its time as well.
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
  private sight(ids: readonly number[], range: TimeRange, wantsSamples: WantsSamples): Sight {
    const heads = this.heads.snapshot(ids);
    return { heads, reader: this.pieces.reader(ids, range, wantsSamples) };
  }

  private forEachHour(
    { heads, reader }: Sight,
    deviceIds: readonly number[],
    range: TimeRange,
    slices: Slices,
    visit: (hour: DeviceHour, place: number) => Promise<void> | undefined,
  ): Promise<void> {
    return forEachHour(deviceIds, range, heads, this.pieces, reader, slices, visit);
  }

  /** Series that follow each other and are of one device, so that its chunks are read once. */
  private async byDevice(series: readonly Series[], slices: Slices): Promise<DeviceSeries[]> {
    const groups: DeviceSeries[] = [];
    const add = (one: Series): void => {
      const deviceId = this.catalogue.get(one.id)?.device.id;
      if (deviceId === undefined) return;
      const last = groups.at(-1);
      if (last?.deviceId === deviceId) last.series.push(one);
      else groups.push({ deviceId, series: [one] });
    };
    await inSlices(series, add, slices);
    return groups;
  }
}

/** Series of a device whose summaries of an hour are looked at in one piece: more of them would hold up others. */
const MOST_AT_A_TIME = 1 << 13;

/** Series whose summaries are in memory at a time, and those of the same device as the last of them. */
const PART = 1024;

/** Series that are cheap enough to go without a look at the clock. */
const WITHOUT_LOOK = 64;

/** The part of a range that can hold samples. */
function within({ start, end }: TimeRange): TimeRange {
  return { start: Math.max(0, start), end: Math.min(END_OF_TIME, end) };
}

/** Whether an hour lies in one step as a whole. */
function isWithinStep(hourStart: number, range: TimeRange, step: number): boolean {
  const before = Math.floor((hourStart - range.start) / step);
  const after = Math.floor((hourStart + HOUR - 1 - range.start) / step);
  return before === after && hourStart >= range.start && hourStart + HOUR <= range.end;
}
