import { DAY, HOUR, lowerBound, Slices, type Series, type TimeRange } from '@device-metrics/domain';
import { hourlyUntilOf } from '@device-metrics/query';
import type { Store } from '@device-metrics/storage';

/** Times that are kept, of all series. */
const MOST = 1_000_000;

/** All times of the samples of a series from one full hour to before another, Unix ms. */
interface Known extends TimeRange {
  readonly times: Float64Array;
}

/**
 * When samples of series were taken. What was read before is kept, and of an hour that has not got any more since it is enough to know how
 * many it has, which takes a small part of reading it: samples come and stay until all of their hour go.
 */
export class ReadingTimes {
  /** By the id of the series, those that were asked for last behind the others. */
  private readonly known = new Map<number, Known>();
  private size = 0;

  constructor(private readonly store: Store) {}

  /** The times within a range, Unix ms, ascending; a series without any is left out. In no order of the series. */
  async *read(
    series: readonly Series[],
    range: TimeRange,
  ): AsyncGenerator<{ readonly series: Series; readonly timestamps: Float64Array }> {
    const hours = { start: fullHour(range.start), end: fullHour(range.end) };
    const slices = new Slices();
    for (const [start, some] of await this.unknown(series, hours)) {
      const silent = new Set(some);
      for await (const { series: one, timestamps: read } of this.store.readSamples(some, { start, end: range.end })) {
        silent.delete(one);
        const timestamps = within(this.join(one, hours, start, read), range);
        if (timestamps.length > 0) yield { series: one, timestamps };
        if (slices.isOver()) await slices.next();
      }
      for (const one of silent) {
        const timestamps = within(this.join(one, hours, start, NONE), range);
        if (timestamps.length > 0) yield { series: one, timestamps };
        if (slices.isOver()) await slices.next();
      }
    }
  }

  /** From which hour on series have to be read. */
  private async unknown(series: readonly Series[], hours: TimeRange): Promise<ReadonlyMap<number, Series[]>> {
    const since = new Map<number, Series[]>();
    const note = (one: Series, start: number): void => {
      const same = since.get(start);
      if (same) same.push(one);
      else since.set(start, [one]);
    };
    // Where samples have gone and their number is kept, they are counted still.
    const bare = await hourlyUntilOf(this.store, series, hours);
    const before: Series[] = [];
    for (const one of series) {
      const known = this.known.get(one.id);
      if (known && known.start <= hours.start && known.end > hours.start && !bare.has(one.deviceName)) before.push(one);
      else note(one, hours.start);
    }
    const query = { range: hours, step: HOUR, aggregates: ['count', 'firstTime', 'lastTime'] as const };
    const silent = new Set(before);
    for await (const { series: one, starts, columns } of this.store.readSteps(before, query)) {
      silent.delete(one);
      note(one, knownUntil(this.known.get(one.id), hours, starts, columns));
    }
    for (const one of silent) note(one, hours.start);
    return since;
  }

  /** What is known of a series up to an hour, and what was read from there on. */
  private join({ id }: Series, hours: TimeRange, from: number, read: ArrayLike<number>): Float64Array {
    const known = this.known.get(id);
    const kept = within(known?.times ?? NONE, { start: -Infinity, end: from });
    const times = new Float64Array(kept.length + read.length);
    times.set(kept);
    times.set(read, kept.length);
    if (known && from === hours.end) this.keep(id, known);
    else this.keep(id, knownNow(known, hours, from, times));
    return times;
  }

  private keep(id: number, known: Known): void {
    this.drop(id);
    this.known.set(id, known);
    this.size += known.times.length + OVERHEAD;
    for (const oldest of this.known.keys()) {
      if (this.size <= MOST) break;
      this.drop(oldest);
    }
  }

  private drop(id: number): void {
    const known = this.known.get(id);
    if (!known) return;
    this.known.delete(id);
    this.size -= known.times.length + OVERHEAD;
  }
}

/** What keeping a series takes besides its times, in times. */
const OVERHEAD = 32;
/** So long before the end of the hours that were asked for last, more than these is kept, ms. */
const KEPT = 2 * DAY;
const NONE = new Float64Array(0);

const fullHour = (time: number): number => Math.floor(time / HOUR) * HOUR;

function within(times: Float64Array, { start, end }: TimeRange): Float64Array {
  return times.subarray(lowerBound(times, start), lowerBound(times, end));
}

/** @param times of what was known up to an hour, and from there on of all up to the end of the hours, or more. */
function knownNow(known: Known | undefined, hours: TimeRange, from: number, times: Float64Array): Known {
  const oldest = known && known.start <= from ? known.start : from;
  const start = Math.max(oldest, Math.min(hours.start, hours.end - KEPT));
  return { start, end: hours.end, times: within(times, { start, end: hours.end }).slice() };
}

/** The start of the first of the hours that has other samples than are known, or of which nothing is known. */
function knownUntil(
  known: Known | undefined,
  hours: TimeRange,
  starts: Float64Array,
  [counts, firstTimes, lastTimes]: readonly Float64Array[],
): number {
  if (!known) return hours.start;
  const end = Math.min(known.end, hours.end);
  const { times } = known;
  let at = lowerBound(times, hours.start);
  for (let index = 0; index < starts.length && (starts[index] as number) < end; index += 1) {
    const start = starts[index] as number;
    const next = at + (counts?.[index] as number);
    const hasMore = (times[next] ?? Infinity) < start + HOUR;
    if (times[at] !== firstTimes?.[index] || times[next - 1] !== lastTimes?.[index] || hasMore) {
      return Math.min(start, fullHour(times[at] ?? start));
    }
    at = next;
  }
  return Math.min(end, fullHour(times[at] ?? end));
}
