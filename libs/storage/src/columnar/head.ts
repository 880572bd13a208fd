import type { Summary, TimeRange } from '@device-metrics/domain';
import { HOUR } from '@device-metrics/domain';
import type { BlockPool } from './blocks.js';
import { Block, ScratchBlock } from './blocks.js';
import { columnOf, summarizePart, type Column, type SeriesPart } from './column.js';
import { RunningSummaries, SlotSummaries } from './slot-summaries.js';
import type { Wanted } from './wanted.js';

/** What a head knows of its device. */
export interface HeadDevice {
  readonly id: number;
  /** The series of the device, each in the place that its `slot` says; a place may be empty. */
  readonly slots: readonly ({ readonly id: number } | undefined)[];
}

/** Where fewer than one of so many series is wanted, only its samples are put in order; so often, and then all are. */
const FEW = 4;

/** Where a head has so many samples of each series, what their summaries take is little beside them. */
const MANY_OF_EACH = 16;

/** Of looks that are over before the next one begins. */
const SCRATCH = new ScratchBlock();
const BY_SLOT = new SlotSummaries();

/** The same samples by series and time, one per time. The samples of slot `s` go from `starts[s]` to before `ends[s]`. */
interface Sorted {
  readonly block: Block;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
}

/**
 * The samples of one device and hour that are not sealed yet; on disk they are in the journal. A sample is only noted as
 * it arrives, in blocks that are never copied to grow. They are put in order when they are read, which is mostly once:
 * when the head is sealed.
 */
export class Head {
  /** Of its hour, Unix milliseconds. */
  readonly start: number;
  /** How many samples came in, which bounds the memory that they take. */
  size = 0;
  /** No sample is added any more, since it is being sealed. */
  frozen = false;
  /** The last journal row that has samples of this head. */
  lastRow: number;

  /** How many queries may still look at it, and whether it is sealed. */
  private readers = 0;
  private isReleased = false;
  private blocks: Block[] = [];
  private last: Block;
  private sorted: Sorted | undefined;
  /** How often samples of some series were put in order since the last came. */
  private picked = 0;
  /** The block in which the samples were put in order, before those that have come since. */
  private inOrder: Block | undefined;
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
    private readonly pool: BlockPool,
  ) {
    this.start = hour * HOUR;
    this.lastRow = firstRow;
    this.last = this.addBlock();
  }

  /** Whether a sample of this time goes here. */
  takes(timestamp: number): boolean {
    return timestamp >= this.start && timestamp < this.start + HOUR && !this.frozen;
  }

  /** Adds a sample that is in journal row `row`, of the series in a slot of the device. */
  push(slot: number, timestamp: number, value: number, row: number): void {
    const last = this.lastWithRoom();
    const at = last.base + last.length++;
    last.slots[at] = slot;
    const time = timestamp - this.start;
    if (time < this.first) this.first = time;
    last.times[at] = time;
    last.values[at] = value;
    this.size += 1;
    this.lastRow = row;
    this.sorted = undefined;
    this.picked = 0;
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
    const { device, start } = this;
    let at = from;
    for (let isHere = true; isHere && at < timestamps.length;) {
      const block = this.lastWithRoom();
      const { slots, times, values: into, base } = block;
      let place = base + block.length;
      const end = Math.min(timestamps.length, at + block.capacity - block.length);
      for (; at < end; at += 1, place += 1) {
        const one = series[offset + at];
        const time = timestamps[at] - start;
        isHere = one?.device === device && time >= 0 && time < HOUR;
        if (!one || !isHere) break;
        if (time < this.first) this.first = time;
        slots[place] = one.slot;
        times[place] = time;
        into[place] = values[at];
      }
      this.size += place - base - block.length;
      block.length = place - base;
    }
    this.lastRow = row;
    this.sorted = undefined;
    this.picked = 0;
    return at;
  }

  /**
   * Adds samples of this device whose slots stand from one place to before another, as long as they are of this hour; gives
   * where it ended.
   *
   * @param offset where the sample of the first of all slots is.
   */
  pushSlots(
    from: Uint32Array,
    start: number,
    end: number,
    offset: number,
    timestamps: Float64Array,
    values: Float64Array,
    row: number,
  ): number {
    let at = start;
    for (let isHere = true; isHere && at < end;) {
      const block = this.lastWithRoom();
      const { slots, times, values: into, base } = block;
      let place = base + block.length;
      const until = Math.min(end, at + block.capacity - block.length);
      for (; at < until; at += 1, place += 1) {
        const time = timestamps[offset + at] - this.start;
        isHere = time >= 0 && time < HOUR;
        if (!isHere) break;
        if (time < this.first) this.first = time;
        slots[place] = from[at];
        times[place] = time;
        into[place] = values[offset + at];
      }
      this.size += place - base - block.length;
      block.length = place - base;
    }
    this.lastRow = row;
    this.sorted = undefined;
    this.picked = 0;
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
    const { block, starts, ends } = isAll ? this.sortedForOneLook(wanted) : this.sortedFor(wanted);
    let summary: Summary | undefined;
    for (let slot = 0; slot < starts.length; slot += 1) {
      let [from, to] = [starts[slot], ends[slot]];
      const id = slots[slot]?.id;
      if (from === to || id === undefined || !wanted.has(id)) continue;
      if (block.times[from] < first) from = firstNotBefore(first, block.times, from, to);
      if (from < to && block.times[to - 1] >= end) to = firstNotBefore(end, block.times, from, to);
      if (from === to) continue;
      summary = summarizePart(block, from, to, this.start, summary);
      visit(id, summary);
    }
  }

  /**
   * The samples of all series, by id, for one look: what it gives holds until the scratch memory is used again, and is the same object
   * each time.
   */
  partsIn(scratch: ScratchBlock): Iterable<Readonly<SeriesPart>> {
    return this.partsOf(this.sorted ?? this.sortInto(scratch.of(this.held)));
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
    this.giveBack();
    this.sorted = undefined;
  }

  /** Adds how many samples came in of the series in each slot. */
  countInto(counts: Uint32Array): void {
    for (const { slots, base, length } of this.blocks) {
      for (let at = base; at < base + length; at += 1) counts[slots[at]] += 1;
    }
  }

  /** Adds the times of the series in a slot, Unix milliseconds, as they stand. */
  addTimesOf(slot: number, times: number[]): void {
    for (const { slots, times: its, base, length } of this.blocks) {
      for (let at = base; at < base + length; at += 1) if (slots[at] === slot) times.push(this.start + its[at]);
    }
  }

  /** The time of the first sample, Unix milliseconds; Infinity without one. */
  firstTime(): number {
    return this.start + this.first;
  }

  /** Samples that are in the blocks. */
  private get held(): number {
    return this.blocks.reduce((sum, { length }) => sum + length, 0);
  }

  private lastWithRoom(): Block {
    const { last } = this;
    return last.length < last.capacity ? last : this.addBlock();
  }

  private addBlock(): Block {
    this.last = this.pool.take();
    this.blocks.push(this.last);
    return this.last;
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

  private *partsOf({ block, starts, ends }: Sorted, wanted?: Wanted): Generator<Readonly<SeriesPart>> {
    const byId = this.slotsById(starts.length);
    const part: SeriesPart = { seriesId: 0, column: block, from: 0, to: 0 };
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
    return this.blocks.every((block) => BY_SLOT.add(block, first, end)) ? BY_SLOT : undefined;
  }

  /** Of all samples; undefined where those of a series came out of order, or it does not pay to keep them. */
  private summarizeAll(wanted: Wanted): SlotSummaries | undefined {
    const { length } = this.device.slots;
    if (!this.running && (this.isFew(wanted) || this.size < MANY_OF_EACH * length)) return undefined;
    this.running ??= new RunningSummaries();
    return this.running.of(this.blocks, length);
  }

  /** Memory that V8 counts makes it go through all of its heap, where all heads are looked at again and again. */
  private sortedForOneLook(wanted: Wanted): Sorted {
    if (this.sorted || this.picked === FEW || this.isFew(wanted)) return this.sortedFor(wanted);
    this.picked += 1;
    return this.sortInto(SCRATCH.of(this.held));
  }

  private isFew(wanted: Wanted): boolean {
    return wanted.size * FEW < this.device.slots.length;
  }

  private sortedFor(wanted: Wanted | undefined): Sorted {
    if (this.sorted) return this.sorted;
    if (!wanted || !this.isFew(wanted) || this.picked === FEW) return (this.sorted = this.sortForGood());
    this.picked += 1;
    const picked = this.pick(wanted);
    return sort(new Block(picked.length), [picked], this.device.slots.length);
  }

  /** The samples of the series that are wanted, as they came. */
  private pick(wanted: Wanted): Block {
    const isWanted = this.device.slots.map((one) => one !== undefined && wanted.has(one.id));
    let count = 0;
    for (const { slots, base, length } of this.blocks) {
      for (let index = base; index < base + length; index += 1) if (isWanted[slots[index]]) count += 1;
    }
    const picked = new Block(count);
    for (const { slots, times, values, base, length } of this.blocks) {
      for (let index = base; index < base + length; index += 1) {
        if (!isWanted[slots[index]]) continue;
        const at = picked.length++;
        picked.slots[at] = slots[index];
        picked.times[at] = times[index];
        picked.values[at] = values[index];
      }
    }
    return picked;
  }

  /** Puts the samples in order, in a block of their own which takes the place of the others. */
  private sortForGood(): Sorted {
    const sorted = this.sortInto(new Block(this.held));
    this.giveBack();
    this.last = this.inOrder = sorted.block;
    this.blocks = [sorted.block];
    return sorted;
  }

  /** A block that was put in order is not among them: a query may still look at what it has read of it. */
  private giveBack(): void {
    this.pool.giveBack(this.blocks.filter((block) => block !== this.inOrder));
    this.blocks = [];
    this.inOrder = undefined;
    this.running = undefined;
  }

  private sortInto(block: Block): Sorted {
    return sort(block, this.blocks, this.device.slots.length);
  }
}

/** Where in ascending times, from one position to before another, the first one is that is not before `time`. */
function firstNotBefore(time: number, times: Uint32Array, from: number, to: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Puts samples in order in an empty block that has room for them, and memory of its own. */
function sort(block: Block, from: readonly Block[], slotCount: number): Sorted {
  const starts = startsOfSlots(from, slotCount);
  const ends = starts.slice(0, -1);
  block.length = starts[slotCount];
  let isInOrder = true;
  for (const { slots, times, values, base, length } of from) {
    for (let index = base; index < base + length; index += 1) {
      const slot = slots[index];
      const at = ends[slot]++;
      block.slots[at] = slot;
      block.times[at] = times[index];
      block.values[at] = values[index];
      isInOrder &&= at === starts[slot] || block.times[at - 1] < times[index];
    }
  }
  const sorted = { block, starts: starts.subarray(0, -1), ends };
  if (!isInOrder) {
    for (let slot = 0; slot < slotCount; slot += 1) ends[slot] = sortRun(block, starts[slot], ends[slot]);
    closeGaps(sorted);
  }
  return sorted;
}

/** Where the samples of each slot begin once they are sorted, and after the last slot where all of them end. */
function startsOfSlots(blocks: readonly Block[], slotCount: number): Uint32Array {
  const starts = new Uint32Array(slotCount + 1);
  for (const { slots, base, length } of blocks) {
    for (let index = base; index < base + length; index += 1) starts[slots[index] + 1] += 1;
  }
  for (let slot = 1; slot <= slotCount; slot += 1) starts[slot] += starts[slot - 1];
  return starts;
}

/** Puts samples of one series in order of time and keeps the last that came of each time; gives where they end. */
function sortRun(block: Block, from: number, to: number): number {
  if (!isNearlySorted(block, from, to)) sortFar(block, from, to);
  const { times, values } = block;
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
function isNearlySorted({ times, values }: Block, from: number, to: number): boolean {
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
function sortFar({ times, values }: Block, from: number, to: number): void {
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

/** Closes the gaps that dropped samples have left, so that what comes several times takes no more memory. */
function closeGaps({ block, starts, ends }: Sorted): void {
  let length = 0;
  for (let slot = 0; slot < starts.length; slot += 1) {
    const [from, to] = [starts[slot], ends[slot]];
    starts[slot] = length;
    ends[slot] = length + to - from;
    if (from !== length) {
      block.times.copyWithin(length, from, to);
      block.values.copyWithin(length, from, to);
    }
    block.slots.fill(slot, length, ends[slot]);
    length = ends[slot];
  }
  block.length = length;
}
