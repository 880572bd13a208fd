import type { Column } from './column.js';
import { HOUR } from './hour.js';

/** What a head knows of its device. */
export interface HeadDevice {
  readonly id: number;
  /** The series of the device, each in the place that its `slot` says; a place may be empty. */
  readonly slots: readonly ({ readonly id: number } | undefined)[];
  /** How many samples its last head had: what to make room for. */
  usualSize: number;
}

const FIRST_BLOCK = 64;
const LAST_BLOCK = 4096;

/** Samples one behind the other, whatever their series. */
class Block {
  readonly slots: Uint32Array;
  readonly times: Uint32Array;
  readonly values: Float64Array;
  length = 0;

  constructor(capacity: number) {
    this.slots = new Uint32Array(capacity);
    this.times = new Uint32Array(capacity);
    this.values = new Float64Array(capacity);
  }
}

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

  private blocks: Block[] = [];
  private last: Block;
  private sorted: Sorted | undefined;
  /** The earliest time, ms since the hour began. */
  private first = Infinity;

  constructor(
    readonly device: HeadDevice,
    readonly hour: number,
    /** The first journal row that has samples of this head. */
    readonly firstRow: number,
    /** When it was opened, Unix milliseconds. */
    readonly openedAt: number,
  ) {
    this.start = hour * HOUR;
    this.lastRow = firstRow;
    this.last = this.addBlock(Math.max(FIRST_BLOCK, Math.min(LAST_BLOCK, device.usualSize)));
  }

  /** Whether a sample of this time goes here. */
  takes(timestamp: number): boolean {
    return timestamp >= this.start && timestamp < this.start + HOUR && !this.frozen;
  }

  /** Adds a sample that is in journal row `row`, of the series in a slot of the device. */
  push(slot: number, timestamp: number, value: number, row: number): void {
    const last = this.lastWithRoom();
    const at = last.length++;
    last.slots[at] = slot;
    const time = timestamp - this.start;
    if (time < this.first) this.first = time;
    last.times[at] = time;
    last.values[at] = value;
    this.size += 1;
    this.lastRow = row;
    this.sorted = undefined;
  }

  /**
   * Adds samples as long as they go here, from the one at `from` on, and gives where the first is that does not.
   *
   * @param series of the samples, from `offset` on.
   */
  pushColumns(
    series: readonly { readonly slot: number; readonly device: HeadDevice }[],
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
      const { slots, times } = block;
      let place = block.length;
      const end = Math.min(timestamps.length, at + times.length - place);
      for (; at < end; at += 1, place += 1) {
        const one = series[offset + at];
        const time = timestamps[at] - start;
        isHere = one.device === device && time >= 0 && time < HOUR;
        if (!isHere) break;
        slots[place] = one.slot;
        times[place] = time;
        block.values[place] = values[at];
      }
      this.size += place - block.length;
      block.length = place;
    }
    this.lastRow = row;
    this.sorted = undefined;
    return at;
  }

  /**
   * Calls `visit` for each series that has samples, by id, or only for those that are wanted. What it gets stays as it is,
   * whatever is pushed later.
   */
  columns(visit: (seriesId: number, column: Column) => void, wanted?: { has(seriesId: number): boolean }): void {
    const { block, starts, ends } = this.inOrder();
    for (const slot of this.slotsById(starts.length)) {
      const [from, to] = [starts[slot], ends[slot]];
      const id = this.device.slots[slot]?.id;
      if (from === to || id === undefined || (wanted && !wanted.has(id))) continue;
      visit(id, { times: block.times.subarray(from, to), values: block.values.subarray(from, to) });
    }
  }

  /** The time of the first sample, Unix milliseconds; Infinity without one. */
  firstTime(): number {
    return this.start + this.first;
  }

  private lastWithRoom(): Block {
    const { last } = this;
    if (last.length < last.times.length) return last;
    return this.addBlock(Math.max(FIRST_BLOCK, Math.min(LAST_BLOCK, last.times.length * 2)));
  }

  private addBlock(capacity: number): Block {
    this.last = new Block(capacity);
    this.blocks.push(this.last);
    return this.last;
  }

  /** Slots are given in the order of the ids, unless a series has come from another device. */
  private *slotsById(count: number): Generator<number> {
    const { slots } = this.device;
    let isInOrder = true;
    let before = 0;
    for (let slot = 0; slot < count && isInOrder; slot += 1) {
      const id = slots[slot]?.id ?? before;
      isInOrder = id >= before;
      before = id;
    }
    const order = Array.from({ length: count }, (_, slot) => slot);
    if (!isInOrder) order.sort((a, b) => (slots[a]?.id ?? 0) - (slots[b]?.id ?? 0));
    yield* order;
  }

  private inOrder(): Sorted {
    this.sorted ??= this.sort();
    return this.sorted;
  }

  /** Puts the samples in order, in a block of their own which takes the place of the others. */
  private sort(): Sorted {
    const starts = this.startsOfSlots();
    const ends = starts.slice(0, -1);
    const block = new Block(starts[starts.length - 1]);
    block.length = block.times.length;
    let isInOrder = true;
    for (const { slots, times, values, length } of this.blocks) {
      for (let index = 0; index < length; index += 1) {
        const slot = slots[index];
        const at = ends[slot]++;
        block.slots[at] = slot;
        block.times[at] = times[index];
        block.values[at] = values[index];
        isInOrder &&= at === starts[slot] || block.times[at - 1] < times[index];
      }
    }
    const slots = starts.subarray(0, -1);
    if (!isInOrder)
      for (let slot = 0; slot < slots.length; slot += 1) ends[slot] = sortRun(block, starts[slot], ends[slot]);
    this.blocks = [withoutGaps(block, slots, ends)];
    this.last = this.blocks[0];
    return { block, starts: slots, ends };
  }

  /** Where the samples of each slot begin once they are sorted, and after the last slot where all of them end. */
  private startsOfSlots(): Uint32Array {
    const starts = new Uint32Array(this.device.slots.length + 1);
    for (const { slots, length } of this.blocks) {
      for (let index = 0; index < length; index += 1) starts[slots[index] + 1] += 1;
    }
    for (let slot = 1; slot < starts.length; slot += 1) starts[slot] += starts[slot - 1];
    return starts;
  }
}

/** Puts samples of one series in order of time and keeps the last that came of each time; gives where they end. */
function sortRun({ times, values }: Block, from: number, to: number): number {
  let isInOrder = true;
  for (let index = from + 1; index < to && isInOrder; index += 1) isInOrder = times[index - 1] < times[index];
  if (isInOrder) return to;
  // One double holds a time and the position behind it, so that sorting numbers is enough.
  const keys = new Float64Array(to - from);
  for (let index = 0; index < keys.length; index += 1) keys[index] = times[from + index] * 2 ** 31 + index;
  keys.sort();
  const before = values.slice(from, to);
  let end = from;
  for (const key of keys) {
    const time = Math.floor(key / 2 ** 31);
    if (end > from && times[end - 1] === time) end -= 1;
    times[end] = time;
    values[end] = before[key % 2 ** 31];
    end += 1;
  }
  return end;
}

/** The block itself where no sample was dropped, so that what comes several times takes no more memory. */
function withoutGaps(block: Block, starts: Uint32Array, ends: Uint32Array): Block {
  let length = 0;
  for (let slot = 0; slot < starts.length; slot += 1) length += ends[slot] - starts[slot];
  if (length === block.length) return block;
  const dense = new Block(length);
  for (let slot = 0; slot < starts.length; slot += 1) {
    const [from, to] = [starts[slot], ends[slot]];
    dense.slots.fill(slot, dense.length, dense.length + to - from);
    dense.times.set(block.times.subarray(from, to), dense.length);
    dense.values.set(block.values.subarray(from, to), dense.length);
    dense.length += to - from;
  }
  return dense;
}
