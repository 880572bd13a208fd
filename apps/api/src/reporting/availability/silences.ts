import type { Series, TimeRange } from '@device-metrics/domain';
import { lastBefore } from '@device-metrics/query';
import type { SampleStore, SeriesSummary } from '@device-metrics/storage';
import { HOUR } from '@device-metrics/domain';
import { deadlines, gapsBetween, rhythmOf } from '../../devices/rhythm.js';

/** How many series of a device are looked at for signs of life while others are silent. */
const MOST_SERIES = 8;

/** Readings by which the rhythm of a device is told. */
const RECENT = 65;
/** Readings within a range that tell the rhythm there; with fewer those around it are looked at. */
const ENOUGH = 16;
/** How far around a range; the first span that has enough readings is taken. The last has ten of a meter that is read each week. */
const SPANS = [HOUR, 24 * HOUR, 70 * 24 * HOUR];
/** Readings on one side that are enough, and those that are looked at. */
const ENOUGH_ASIDE = 8;
const MOST_ASIDE = 32;

/** A time in which nothing came of a device, although it was due. */
export interface SilentTime {
  /** Of the last reading before it, Unix ms; undefined where there was none. */
  readonly start: number;
  /** Of the first reading after it; undefined while there is none. */
  readonly end: number | undefined;
}

/**
 * The silences of a device that reach into a range: times in which all of its series were late by their own rhythm.
 *
 * @param series all series of the device.
 * @param until the moment up to which readings could have come, Unix ms.
 */
export async function silencesOf(
  store: SampleStore,
  series: readonly Series[],
  range: TimeRange,
  until: number,
): Promise<SilentTime[]> {
  const end = Math.min(range.end, until);
  const lead = await mostFrequent(store, series, { start: range.start, end });
  if (!lead) return silencesOfNothing(store, series, range, end);
  let silences = await silencesOfSeries(store, lead, range, end);
  let left = series.filter(({ id }) => id !== lead.id);
  for (let round = 1; round < MOST_SERIES && silences.length > 0 && left.length > 0; round += 1) {
    const alive = await firstAlive(store, left, silences, end);
    if (!alive) break;
    silences = intersection(silences, await silencesOfSeries(store, alive, range, end));
    left = left.filter(({ id }) => id !== alive.id);
  }
  return silences;
}

/** The series that has most samples in a range; undefined where none has any. */
async function mostFrequent(
  store: SampleStore,
  series: readonly Series[],
  range: TimeRange,
): Promise<Series | undefined> {
  if (range.end <= range.start) return undefined;
  let most: SeriesSummary | undefined;
  for (const one of await store.summarize(series, range)) {
    if (!most || one.summary.count > most.summary.count) most = one;
  }
  return most?.series;
}

/** A series that has samples within one of the silences. */
async function firstAlive(
  store: SampleStore,
  series: readonly Series[],
  silences: readonly SilentTime[],
  until: number,
): Promise<Series | undefined> {
  for (const { start, end = until } of silences) {
    const alive = await mostFrequent(store, series, { start: start + 1, end });
    if (alive) return alive;
  }
  return undefined;
}

/** The silences where nothing of a device is within the range: none between two readings of a meter that is read each week. */
async function silencesOfNothing(
  store: SampleStore,
  series: readonly Series[],
  range: TimeRange,
  until: number,
): Promise<SilentTime[]> {
  const start = await neighbour(store, series, range.start, 'before');
  if (start === undefined) return [];
  const end = await neighbour(store, series, until, 'after');
  let lead: Series | undefined;
  for (const span of SPANS) lead ??= await mostFrequent(store, series, { start: start - span, end: start + 1 });
  return lead ? intersection([{ start, end }], await silencesOfSeries(store, lead, range, until)) : [];
}

async function silencesOfSeries(
  store: SampleStore,
  series: Series,
  range: TimeRange,
  until: number,
): Promise<SilentTime[]> {
  const before = await neighbour(store, [series], range.start, 'before');
  const after = await neighbour(store, [series], until, 'after');
  const within = await timesOf(store, series, { start: range.start, end: until });
  const isFew = within.length < ENOUGH;
  const known = [
    ...(isFew && before !== undefined ? await timesAside(store, series, before, 'before') : []),
    ...(before === undefined ? [] : [before]),
    ...within,
    ...(after === undefined ? [] : [after]),
    ...(isFew && after !== undefined ? await timesAside(store, series, after, 'after') : []),
  ];
  const silences: SilentTime[] = (await gapsBetween(known))
    .filter(({ isSilence, start, end }) => isSilence && end > range.start && start < until)
    .map(({ start, end }) => ({ start, end }));
  const last = known.at(-1);
  // What has not come yet is due as well, as the status of a device has it.
  if (after === undefined && last !== undefined && until > deadlines(rhythmOf(known.slice(-RECENT)), last).lateAt) {
    silences.push({ start: last, end: undefined });
  }
  return silences;
}

/** The times of some samples before or after one, ascending. */
async function timesAside(
  store: SampleStore,
  series: Series,
  time: number,
  side: 'before' | 'after',
): Promise<number[]> {
  const rangeOf = (span: number): TimeRange =>
    side === 'before' ? { start: time - span, end: time } : { start: time + 1, end: time + 1 + span };
  for (const span of SPANS.slice(0, -1)) {
    const [found] = await store.summarize([series], rangeOf(span));
    if (found && found.summary.count >= ENOUGH_ASIDE) return some(await timesOf(store, series, rangeOf(span)), side);
  }
  return some(await timesOf(store, series, rangeOf(SPANS.at(-1) as number)), side);
}

const some = (times: number[], side: 'before' | 'after'): number[] =>
  side === 'before' ? times.slice(-MOST_ASIDE) : times.slice(0, MOST_ASIDE);

/** The time of the nearest sample outside of a range; only summaries are read. */
async function neighbour(
  store: SampleStore,
  series: readonly Series[],
  time: number,
  side: 'before' | 'after',
): Promise<number | undefined> {
  if (side === 'before') {
    const found = await lastBefore(store, series, time);
    const times = Array.from(found.values(), ({ timestamp }) => timestamp);
    return times.length === 0 ? undefined : times.reduce((newest, time) => Math.max(newest, time));
  }
  const latest = (await store.latest(series)).filter(({ timestamp }) => timestamp >= time);
  if (latest.length === 0) return undefined;
  const newest = latest.reduce((time, { timestamp }) => Math.max(time, timestamp), -Infinity);
  for (let span = HOUR, from = time; from <= newest; from += span, span *= 4) {
    const found = await store.summarize(series, { start: from, end: from + span });
    if (found.length > 0) return found.reduce((time, { summary }) => Math.min(time, summary.firstTime), Infinity);
  }
  return newest;
}

/** The times of the samples; of an hour of which only the hourly value is left, as if they had come evenly. */
async function timesOf(store: SampleStore, series: Series, range: TimeRange): Promise<number[]> {
  const ends = new Map<number, [first: number, last: number]>();
  const tiers = await store.tiers(series.deviceName, range);
  const hourlyUntil = tiers.findLast(({ resolution }) => resolution > 0)?.end ?? -Infinity;
  const times: number[] = [];
  for await (const { timestamps } of store.readSamples([series], range, { summaries: 'ends' })) {
    for (let index = 0; index < timestamps.length; index += 1) {
      const time = timestamps[index] as number;
      if (time >= hourlyUntil) times.push(time);
      else {
        const hour = Math.floor(time / HOUR);
        ends.set(hour, [ends.get(hour)?.[0] ?? time, time]);
      }
    }
  }
  if (ends.size === 0) return times;
  const even: number[] = [];
  const hours = { start: Math.floor(range.start / HOUR) * HOUR, end: Math.ceil(hourlyUntil / HOUR) * HOUR };
  for await (const { starts, columns } of store.readSteps([series], {
    range: hours,
    step: HOUR,
    aggregates: ['count'],
  })) {
    for (const [index, start] of starts.entries()) {
      const its = ends.get(start / HOUR);
      if (its) for (const time of spread(its, columns[0]?.[index] as number)) even.push(time);
    }
  }
  return [...even, ...times];
}

function spread([first, last]: [number, number], count: number): number[] {
  if (count < 2) return [first];
  return Array.from({ length: count }, (_, index) => Math.round(first + ((last - first) * index) / (count - 1)));
}

/** The times that lie in silences of both. */
function intersection(a: readonly SilentTime[], b: readonly SilentTime[]): SilentTime[] {
  const found: SilentTime[] = [];
  for (const one of a) {
    for (const other of b) {
      const start = Math.max(one.start, other.start);
      const end = Math.min(one.end ?? Infinity, other.end ?? Infinity);
      if (end > start) found.push({ start, end: end === Infinity ? undefined : end });
    }
  }
  return found;
}
