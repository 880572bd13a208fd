import { Inject, Injectable } from '@nestjs/common';
import { DAY, conversionBetween, labelsKey, type NamedSeries, type Series } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import { SAMPLE_STORE } from '../../sample-store.token.js';
import type { PointSample } from './points.js';

interface Late {
  readonly timestamps: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** The points of one series that a request has. */
interface Group {
  readonly named: NamedSeries;
  readonly points: { readonly item: PointSample[]; readonly time: number; readonly delta: number }[];
}

/**
 * Makes counters of deltas: each stored sample is the sum of all that came up to its time. The store itself knows what has
 * been counted, since every counted point has a sample of its time: one that comes again is left out, and one that comes
 * late is put in its place and raises the samples after it. So nothing else has to be kept, and a restart changes nothing.
 *
 * Works only while nobody else adds to the same series: requests with deltas go one after the other.
 */
@Injectable()
export class DeltaSums {
  private last: Promise<unknown> = Promise.resolve();

  constructor(@Inject(SAMPLE_STORE) private readonly store: SampleStore) {}

  /** Runs `work` once all before it are through. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work, work);
    this.last = turn.catch(() => undefined);
    return turn;
  }

  /** The samples to store for each point, in the order of `points`; none for a point that has been counted. */
  async samplesOf(points: readonly (readonly PointSample[])[]): Promise<PointSample[][]> {
    const groups = new Map<string, Group>();
    const items = points.map((samples) => {
      const item: PointSample[] = [];
      for (const { series, time, value } of samples) {
        const key = keyOf(series);
        let group = groups.get(key);
        if (!group) groups.set(key, (group = { named: series, points: [] }));
        group.points.push({ item, time, delta: value });
      }
      return item;
    });
    const names = [...groups.values()].map(({ named }) => named);
    const series = await this.store.seriesOf(names);
    const latest = await this.store.latest(series.filter((one) => one !== undefined));
    const latestOf = new Map(latest.map(({ series, timestamp, value }) => [series.id, { timestamp, value }]));
    let place = 0;
    for (const group of groups.values()) {
      const its = series[place++];
      await this.sum(group, its, its && latestOf.get(its.id));
    }
    return items;
  }

  private async sum(
    { named, points }: Group,
    series: Series | undefined,
    latest: { readonly timestamp: number; readonly value: number } | undefined,
  ): Promise<void> {
    const [as, factor] = inUnitOf(named, series);
    const lastTime = latest?.timestamp ?? -Infinity;
    let sum = latest?.value ?? 0;
    points.sort((a, b) => a.time - b.time);
    const late = points.filter(({ time }) => time <= lastTime);
    const first = late[0];
    if (first && series) {
      const stored = await this.read(series, first.time - DAY, lastTime + 1);
      sum += addLate(as, factor, late, stored);
    }
    let before = lastTime;
    for (const { item, time, delta } of points) {
      // Of the same time within one request: the same point again.
      if (time <= before) continue;
      before = time;
      sum += delta * factor;
      item.push({ series: as, time, value: sum });
    }
  }

  private async read(series: Series, start: number, end: number): Promise<Late> {
    for await (const samples of this.store.readSamples([series], { start, end })) return samples;
    return { timestamps: [], values: [] };
  }
}

/**
 * Puts late points in their place among what is stored, each with the samples after it that it raises.
 *
 * @returns by how much they raise the sum.
 */
function addLate(series: NamedSeries, factor: number, late: Group['points'], stored: Late): number {
  const { timestamps, values } = stored;
  const times = new Set(Array.from(timestamps));
  let raised = 0;
  let item: PointSample[] | undefined;
  let at = 0;
  for (const point of late) {
    if (times.has(point.time)) continue;
    times.add(point.time);
    at = pass(timestamps, values, series, at, point.time, raised, item);
    // Before all that is known, the first that is: no sample may be below one before it.
    const below = values[Math.max(0, at - 1)] ?? 0;
    raised += point.delta * factor;
    item = point.item;
    item.push({ series, time: point.time, value: below + raised });
  }
  pass(timestamps, values, series, at, Infinity, raised, item);
  return raised;
}

/** Raises the stored samples before `end`, and gives the position of the first of the others. */
function pass(
  timestamps: ArrayLike<number>,
  values: ArrayLike<number>,
  series: NamedSeries,
  from: number,
  end: number,
  raised: number,
  item: PointSample[] | undefined,
): number {
  let at = from;
  for (; at < timestamps.length && (timestamps[at] as number) < end; at += 1) {
    item?.push({ series, time: timestamps[at] as number, value: (values[at] as number) + raised });
  }
  return at;
}

/** A series in the unit that is stored, and what its deltas are to be multiplied by. */
function inUnitOf(named: NamedSeries, series: Series | undefined): [NamedSeries, number] {
  const unit = series?.unit;
  if (unit === undefined || unit === null || named.unit === undefined || named.unit === unit) return [named, 1];
  const conversion = conversionBetween(named.unit, unit);
  return conversion ? [named.as(named.deviceName, unit), conversion.factor] : [named, 1];
}

const keys = new WeakMap<NamedSeries, string>();

function keyOf(series: NamedSeries): string {
  let key = keys.get(series);
  if (key === undefined) {
    key = `${series.deviceName}\n${series.metricName}\n${labelsKey(series.labels)}`;
    keys.set(series, key);
  }
  return key;
}
