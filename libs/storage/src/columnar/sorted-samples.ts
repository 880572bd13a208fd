import type { Column } from './column.js';
import { RowCursor, type Rows } from './rows.js';

/** Samples by slot and time, one per time. Those of slot `s` go from `starts[s]` to before `ends[s]` of the column. */
export interface SortedSamples {
  readonly column: Column;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/** A column with room for so many samples, and memory of its own. */
export function columnFor(samples: number): Column {
  const bytes = new ArrayBuffer(samples * 12);
  return { values: new Float64Array(bytes, 0, samples), times: new Uint32Array(bytes, samples * 8, samples) };
}

/** Memory of more samples than this is not kept. */
const MOST_SCRATCH = 1 << 19;

/** One column after the other for what is needed for a while only, in the same memory. */
export class ScratchColumn {
  private column = columnFor(0);

  /** With room for so many samples; what the one before held is gone. */
  of(samples: number): Column {
    if (samples > MOST_SCRATCH) return columnFor(samples);
    if (this.column.times.length < samples) this.column = columnFor(Math.min(MOST_SCRATCH, Math.ceil(samples * 1.25)));
    return this.column;
  }
}

/**
 * Puts samples in order.
 *
 * @param before those that are in order, and came before all rows.
 * @param wanted which slots count, 1 each; all where nothing is said.
 * @param makeRoom makes a column for so many samples.
 */
export function sortSamples(
  before: SortedSamples | undefined,
  rows: Rows,
  slotCount: number,
  makeRoom: (samples: number) => Column,
  wanted?: Uint8Array,
): SortedSamples {
  const starts = startsOfSlots(before, rows, slotCount, wanted);
  const ends = starts.slice(0, -1);
  const column = makeRoom(starts[slotCount]);
  if (before) addSorted(before, column, ends, wanted);
  const isInOrder = addRows(rows, column, starts, ends, wanted);
  const sorted = { column, starts: starts.subarray(0, -1), ends };
  if (!isInOrder) sorted.starts.forEach((from, slot) => (ends[slot] = sortRun(column, from, ends[slot])));
  return sorted;
}

/** Where the samples of each slot begin once they are sorted, and after the last slot where all of them end. */
function startsOfSlots(
  before: SortedSamples | undefined,
  rows: Rows,
  slotCount: number,
  wanted: Uint8Array | undefined,
): Uint32Array {
  const starts = new Uint32Array(slotCount + 1);
  before?.starts.forEach((from, slot) => (starts[slot + 1] = before.ends[slot] - from));
  for (const row = new RowCursor(rows); row.next();) {
    const { slots, slotsFrom, count } = row;
    for (let at = slotsFrom; at < slotsFrom + count; at += 1) starts[slots[at] + 1] += 1;
  }
  for (let slot = 0; slot < slotCount; slot += 1) {
    starts[slot + 1] = starts[slot] + (wanted?.[slot] === 0 ? 0 : starts[slot + 1]);
  }
  return starts;
}

/** Puts samples that are in order where those of their slots begin, which is moved on. */
function addSorted(before: SortedSamples, { times, values }: Column, ends: Uint32Array, wanted?: Uint8Array): void {
  for (let slot = 0; slot < before.starts.length; slot += 1) {
    if (wanted?.[slot] === 0) continue;
    let to = ends[slot];
    for (let at = before.starts[slot]; at < before.ends[slot]; at += 1, to += 1) {
      times[to] = before.column.times[at];
      values[to] = before.column.values[at];
    }
    ends[slot] = to;
  }
}

/** The same of rows; false where those of a slot are not in order of time. */
function addRows(
  rows: Rows,
  { times, values }: Column,
  starts: Uint32Array,
  ends: Uint32Array,
  wanted?: Uint8Array,
): boolean {
  let isInOrder = true;
  for (const row = new RowCursor(rows); row.next();) {
    const { time, slots, slotsFrom, values: from, valuesFrom, count } = row;
    for (let place = 0; place < count; place += 1) {
      const slot = slots[slotsFrom + place];
      if (wanted !== undefined && wanted[slot] === 0) continue;
      const at = ends[slot]++;
      times[at] = time;
      values[at] = from[valuesFrom + place];
      isInOrder &&= at === starts[slot] || times[at - 1] < time;
    }
  }
  return isInOrder;
}

/** Where in ascending times, from one position to before another, the first one is that is not before `time`. */
export function firstNotBefore(time: number, times: Uint32Array, from: number, to: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Puts samples of one series in order of time and keeps the last that came of each time; gives where they end. */
function sortRun(column: Column, from: number, to: number): number {
  if (!isNearlySorted(column, from, to)) sortFar(column, from, to);
  const { times, values } = column;
  let end = from;
  for (let index = from; index < to; index += 1) {
    if (end > from && times[end - 1] === times[index]) end -= 1;
    times[end] = times[index];
    values[end] = values[index];
    end += 1;
  }
  return end;
}

/** How many samples others may pass on average before they are sorted in another way. */
const NEARLY = 8;

/**
 * Puts samples in order of time, those of the same time as they came, where few stand far from their place: so do those that senders
 * with several connections send. False where they do not; then some are still out of order.
 */
function isNearlySorted({ times, values }: Column, from: number, to: number): boolean {
  let left = (to - from) * NEARLY;
  for (let index = from + 1; index < to; index += 1) {
    const time = times[index];
    if (time >= times[index - 1]) continue;
    const value = values[index];
    let place = index;
    for (; place > from && times[place - 1] > time; place -= 1) {
      times[place] = times[place - 1];
      values[place] = values[place - 1];
    }
    times[place] = time;
    values[place] = value;
    left -= index - place;
    if (left < 0) return false;
  }
  return true;
}

/** The same however they stand. */
function sortFar({ times, values }: Column, from: number, to: number): void {
  const order = orderOf(times.subarray(from, to));
  const [timesBefore, valuesBefore] = [times.slice(from, to), values.slice(from, to)];
  for (let index = 0; index < order.length; index += 1) {
    times[from + index] = timesBefore[order[index]];
    values[from + index] = valuesBefore[order[index]];
  }
}

/** Bits of a time that are sorted by at a time: with twice as many every millisecond of an hour is told apart. */
const DIGIT = 11;

/** From so many on, sorting by digits is faster: what hundreds of thousands take would hold up everybody. */
const MANY = 1024;

/** Where the samples are in order of time, those of the same time as they came. */
function orderOf(times: Uint32Array): ArrayLike<number> {
  if (times.length >= MANY) return byDigit(times, byDigit(times, undefined, 0), DIGIT);
  // One double holds a time and the position behind it, so that sorting numbers is enough.
  const keys = Float64Array.from(times, (time, index) => time * MANY + index).sort();
  return Uint32Array.from(keys, (key) => key % MANY);
}

/** Sorts by one digit and keeps the order of those that have the same. */
function byDigit(times: Uint32Array, order: Uint32Array | undefined, shift: number): Uint32Array {
  const mask = (1 << DIGIT) - 1;
  const next = new Uint32Array(mask + 2);
  for (let index = 0; index < times.length; index += 1) next[((times[index] >>> shift) & mask) + 1] += 1;
  for (let digit = 1; digit <= mask; digit += 1) next[digit] += next[digit - 1];
  const sorted = new Uint32Array(times.length);
  for (let index = 0; index < times.length; index += 1) {
    const place = order ? order[index] : index;
    sorted[next[(times[place] >>> shift) & mask]++] = place;
  }
  return sorted;
}
