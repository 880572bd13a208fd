import type { Summary, TimeRange } from '@device-metrics/domain';
import { HOUR } from '@device-metrics/domain';
import type { BlockPool } from './blocks.js';
import { columnOf, summarizePart, type Column, type SeriesPart } from './column.js';
import { RowCursor, Rows } from './rows.js';
import { RunningSummaries, SlotSummaries } from './slot-summaries.js';
import { columnFor, firstNotBefore, ScratchColumn, sortSamples, type SortedSamples } from './sorted-samples.js';
import type { Wanted } from './wanted.js';

/** What a head knows of its device. */
export interface HeadDevice {
  readonly id: number;
  /** The series of the device, each in the place that its `slot` says; a place may be empty. */
  readonly slots: readonly ({ readonly id: number } | undefined)[];
}

/** What a head takes beside its samples, in doubles. */
const EMPTY = 128;

/** Where fewer than one of so many series is wanted, only its samples are put in order; so often, and then all are. */
const FEW = 4;

/** Where a head has so many samples of each series, what their summaries take is little beside them. */
const MANY_OF_EACH = 16;

/** Of looks that are over before the next one begins. */
const SCRATCH = new ScratchColumn();
const BY_SLOT = new SlotSummaries();

/** Slots of a reading while it is taken in; a longer one is several. */
const SLOTS = new Uint32Array(1024);

/**
 * The samples of one device and hour that are not sealed yet; on disk they are in the journal. A sample is only noted as
 * it arrives. They are put in order when they are read, which is mostly once: when the head is sealed.
 */
export class Head {
  /** Of its hour, Unix milliseconds. */
  readonly start: number;
  /** How many samples came in, which bounds the memory that they take. */
  size = 0;
  /** What all heads together count of its load. */
  countedLoad = 0;
  /** No sample is added any more, since it is being sealed. */
  frozen = false;
  /** The last journal row that has samples of this head. */
  lastRow: number;

  /** How many queries may still look at it, and whether it is sealed. */
  private readers = 0;
  private isReleased = false;
  /** What has come, but for what is put in order. */
  private readonly rows: Rows;
  /** What was put in order before the rows came. */
  private inOrder: SortedSamples | undefined;
  /** How often samples of some series were put in order since the last came. */
  private picked = 0;
  /** Of all samples; undefined before somebody has looked at most series. */
  private running: RunningSummaries | undefined;
  /** The earliest time, ms since the hour began. */
  private first = Infinity;

  constructor(
    readonly device: HeadDevice,
    readonly hour: number,
    /** The first journal row that has samples of this head. */
    readonly firstRow: number,
    /** When it was opened, Unix milliseconds. */
    readonly openedAt: number,
    pool: BlockPool,
  ) {
    this.start = hour * HOUR;
    this.lastRow = firstRow;
    this.rows = new Rows(pool);
  }

  /** The memory that it takes, in doubles. */
  get load(): number {
    return EMPTY + this.rows.room + (this.inOrder ? 1.5 * this.inOrder.column.times.length : 0);
  }

  /** Whether a sample of this time goes here. */
  takes(timestamp: number): boolean {
    return timestamp >= this.start && timestamp < this.start + HOUR && !this.frozen;
  }

  /** Adds a sample that is in journal row `row`, of the series in a slot of the device. */
  push(slot: number, timestamp: number, value: number, row: number): void {
    const time = timestamp - this.start;
    this.rows.add(slot, time, value);
    this.noteCame(1, time);
    this.lastRow = row;
  }

  /**
   * Adds samples as long as they go here, from the one at `from` on, and gives where the first is that does not.
   *
   * @param series of the samples, from `offset` on.
   */
  pushColumns(
    series: readonly ({ readonly slot: number; readonly device: HeadDevice } | undefined)[],
    offset: number,
    from: number,
    timestamps: Float64Array,
    values: Float64Array,
    row: number,
  ): number {
    const { device } = this;
    this.lastRow = row;
    let at = from;
    while (at < timestamps.length) {
      const timestamp = timestamps[at];
      let count = 0;
      for (; count < SLOTS.length && timestamps[at + count] === timestamp; count += 1) {
        const one = series[offset + at + count];
        if (one?.device !== device) break;
        SLOTS[count] = one.slot;
      }
      if (count === 0 || !this.addReading(timestamp, SLOTS, 0, count, values, at)) break;
      at += count;
    }
    return at;
  }

  /**
   * Adds samples of this device whose slots stand from one place to before another, as long as they are of this hour; gives
   * where it ended.
   *
   * @param offset where the sample of the first of all slots is.
   */
  pushSlots(
    slots: Uint32Array,
    from: number,
    to: number,
    offset: number,
    timestamps: Float64Array,
    values: Float64Array,
    row: number,
  ): number {
    this.lastRow = row;
    let at = from;
    while (at < to) {
      const timestamp = timestamps[offset + at];
      let end = at + 1;
      while (end < to && timestamps[offset + end] === timestamp) end += 1;
      if (!this.addReading(timestamp, slots, at, end, values, offset + at)) break;
      at = end;
    }
    return at;
  }

  /**
   * Calls `visit` for each series that has samples, by id, or only for those that are wanted. What it gets stays as it is,
   * whatever is pushed later, until the head is released.
   */
  columns(visit: (seriesId: number, column: Column) => void, wanted?: Wanted): void {
    for (const part of this.partsOf(this.sortedFor(wanted), wanted)) visit(part.seriesId, columnOf(part));
  }

  /**
   * Calls `visit` with the summary of each series that is wanted and has samples; it is the same object each time.
   *
   * @param isAll whether nobody will ask for samples next: then they are not put in order, or in memory that is used again.
   * @param range which samples count, where not all do.
   */
  summaries(
    visit: (seriesId: number, summary: Readonly<Summary>) => void,
    wanted: Wanted,
    isAll: boolean,
    range?: TimeRange,
  ): void {
    const { slots } = this.device;
    const [first, end] = range ? [range.start - this.start, range.end - this.start] : [0, HOUR];
    const sums = isAll ? this.summarizeAsTheyStand(wanted, first, end) : undefined;
    if (sums) {
      sums.visit(this.start, (slot, summary) => {
        const id = slots[slot]?.id;
        if (id !== undefined && wanted.has(id)) visit(id, summary);
      });
      return;
    }
    const { column, starts, ends } = isAll ? this.sortedForOneLook(wanted) : this.sortedFor(wanted);
    const { times } = column;
    let summary: Summary | undefined;
    for (let slot = 0; slot < starts.length; slot += 1) {
      let [from, to] = [starts[slot], ends[slot]];
      const id = slots[slot]?.id;
      if (from === to || id === undefined || !wanted.has(id)) continue;
      if (times[from] < first) from = firstNotBefore(first, times, from, to);
      if (from < to && times[to - 1] >= end) to = firstNotBefore(end, times, from, to);
      if (from === to) continue;
      summary = summarizePart(column, from, to, this.start, summary);
      visit(id, summary);
    }
  }

  /**
   * The samples of all series, by id, for one look: what it gives holds until the scratch memory is used again, and is the same object
   * each time.
   */
  partsIn(scratch: ScratchColumn): Iterable<Readonly<SeriesPart>> {
    return this.partsOf(this.sorted ?? this.sort((samples) => scratch.of(samples)));
  }

  /** A query may look at it until `letGo`, though it is sealed meanwhile. */
  hold(): void {
    this.readers += 1;
  }

  letGo(): void {
    this.readers -= 1;
    if (this.isReleased) this.release();
  }

  /** Gives its memory to other heads, once no query looks at it any more. */
  release(): void {
    this.isReleased = true;
    if (this.readers > 0) return;
    this.rows.clear();
    this.inOrder = undefined;
    this.running = undefined;
  }

  /** Adds how many samples came in of the series in each slot. */
  countInto(counts: Uint32Array): void {
    const { inOrder } = this;
    inOrder?.starts.forEach((from, slot) => (counts[slot] += inOrder.ends[slot] - from));
    for (const row = new RowCursor(this.rows); row.next();) {
      for (let place = 0; place < row.count; place += 1) counts[row.slots[row.slotsFrom + place]] += 1;
    }
  }

  /** Adds the times of the series in a slot, Unix milliseconds, as they stand. */
  addTimesOf(slot: number, times: number[]): void {
    const { inOrder } = this;
    if (inOrder && slot < inOrder.starts.length) {
      const { column, starts, ends } = inOrder;
      for (let at = starts[slot]; at < ends[slot]; at += 1) times.push(this.start + column.times[at]);
    }
    for (const row = new RowCursor(this.rows); row.next();) {
      for (let place = 0; place < row.count; place += 1) {
        if (row.slots[row.slotsFrom + place] === slot) times.push(this.start + row.time);
      }
    }
  }

  /** The time of the first sample, Unix milliseconds; Infinity without one. */
  firstTime(): number {
    return this.start + this.first;
  }

  /**
   * Adds samples of one time, of the series in the slots from one place to before another; false where they are not of this hour.
   *
   * @param valuesFrom where the value of the first of these is.
   */
  private addReading(
    timestamp: number,
    slots: Uint32Array,
    from: number,
    to: number,
    values: Float64Array,
    valuesFrom: number,
  ): boolean {
    const time = timestamp - this.start;
    if (!(time >= 0 && time < HOUR)) return false;
    this.rows.addReading(time, slots, from, to, values, valuesFrom);
    this.noteCame(to - from, time);
    return true;
  }

  private noteCame(samples: number, time: number): void {
    if (time < this.first) this.first = time;
    this.size += samples;
    this.picked = 0;
  }

  /** All samples, where they are in order. */
  private get sorted(): SortedSamples | undefined {
    return this.rows.count === 0 ? this.inOrder : undefined;
  }

  /** Slots by id; undefined where they are in this order, as they are unless a series has come from another device. */
  private slotsById(count: number): readonly number[] | undefined {
    const { slots } = this.device;
    let isInOrder = true;
    let before = 0;
    for (let slot = 0; slot < count && isInOrder; slot += 1) {
      const id = slots[slot]?.id ?? before;
      isInOrder = id >= before;
      before = id;
    }
    if (isInOrder) return undefined;
    return Array.from({ length: count }, (_, slot) => slot).sort((a, b) => (slots[a]?.id ?? 0) - (slots[b]?.id ?? 0));
  }

  private *partsOf({ column, starts, ends }: SortedSamples, wanted?: Wanted): Generator<Readonly<SeriesPart>> {
    const byId = this.slotsById(starts.length);
    const part: SeriesPart = { seriesId: 0, column, from: 0, to: 0 };
    for (let place = 0; place < starts.length; place += 1) {
      const slot = byId ? byId[place] : place;
      const id = this.device.slots[slot]?.id;
      if (id === undefined || starts[slot] === ends[slot] || (wanted && !wanted.has(id))) continue;
      part.seriesId = id;
      part.from = starts[slot];
      part.to = ends[slot];
      yield part;
    }
  }

  /**
   * Those of the wanted series, and perhaps of others; undefined where samples of a wanted series came out of order, or where they are in
   * order by now, and a part of them is found faster there.
   */
  private summarizeAsTheyStand(wanted: Wanted, first: number, end: number): SlotSummaries | undefined {
    const { slots } = this.device;
    const all = this.first >= first ? this.summarizeAll(wanted) : undefined;
    if (all && all.lastTime() < end) return all;
    if (this.sorted) return undefined;
    BY_SLOT.begin(slots.length);
    for (let slot = 0; slot < slots.length; slot += 1) {
      const id = slots[slot]?.id;
      if (id !== undefined && wanted.has(id)) BY_SLOT.want(slot);
    }
    return BY_SLOT.addAll(this.inOrder, new RowCursor(this.rows), first, end) ? BY_SLOT : undefined;
  }

  /** Of all samples; undefined where those of a series came out of order, or it does not pay to keep them. */
  private summarizeAll(wanted: Wanted): SlotSummaries | undefined {
    const { length } = this.device.slots;
    if (!this.running && (this.isFew(wanted) || this.size < MANY_OF_EACH * length)) return undefined;
    this.running ??= new RunningSummaries(this.inOrder, this.rows);
    return this.running.of(length);
  }

  /** Memory that V8 counts makes it go through all of its heap, where all heads are looked at again and again. */
  private sortedForOneLook(wanted: Wanted): SortedSamples {
    if (this.sorted || this.picked === FEW || this.isFew(wanted)) return this.sortedFor(wanted);
    this.picked += 1;
    return this.sort((samples) => SCRATCH.of(samples));
  }

  private isFew(wanted: Wanted): boolean {
    return wanted.size * FEW < this.device.slots.length;
  }

  private sortedFor(wanted: Wanted | undefined): SortedSamples {
    if (this.sorted) return this.sorted;
    if (!wanted || !this.isFew(wanted) || this.picked === FEW) return this.sortForGood();
    this.picked += 1;
    const isWanted = Uint8Array.from(this.device.slots, (one) => (one !== undefined && wanted.has(one.id) ? 1 : 0));
    return this.sort(columnFor, isWanted);
  }

  /** Puts the samples in order, in memory of their own: the rows are not needed any more. */
  private sortForGood(): SortedSamples {
    const sorted = this.sort(columnFor);
    this.rows.clear();
    this.running = undefined;
    this.inOrder = sorted;
    return sorted;
  }

  private sort(makeRoom: (samples: number) => Column, isWanted?: Uint8Array): SortedSamples {
    return sortSamples(this.inOrder, this.rows, this.device.slots.length, makeRoom, isWanted);
  }
}
