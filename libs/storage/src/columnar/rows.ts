import type { Block, BlockPool } from './blocks.js';
import { isSameList, SlotLists } from './slot-lists.js';

/** Bits of a time, ms since the hour began. */
const TIME_BITS = 22;
/** Bits of how many samples a row has, less one. */
const COUNT_BITS = 8;

/** Fewer samples of one time are noted one by one: a list of their slots takes more than it saves. */
const FEWEST = 4;

/** So many lists of slots a head knows; what comes in others is noted one by one, so that they cannot take more than samples do. */
const MOST_LISTS = 16;

/** Of all heads. */
const LISTS = new SlotLists();

/**
 * Samples of one device and hour as they came. Most come as readings: of one time, and of the same series in the same order as so often
 * before. The slots of these are kept once, in a list, so that a sample takes little more than the 8 bytes of its value. A row is
 *
 *     uint32     time; above its bits the number of the list, from 1 on
 *     uint32     how many samples, less one; above these bits where in the list the first one is
 *     doubles    values
 *
 * A sample by itself is a row of its time, its slot and its value. Rows stand in blocks, which are never copied to grow; what does not fit
 * into one block goes on in the next as another row.
 */
export class Rows {
  /** Samples. */
  count = 0;
  /** Doubles that its blocks have room for. */
  room = 0;
  readonly blocks: Block[] = [];
  readonly lists: Uint32Array[] = [];
  private last: Block | undefined;
  /** The list of the row that came last. */
  private list = 0;

  constructor(private readonly pool: BlockPool) {}

  /** Adds a sample of the series in a slot; its time is ms since the hour began. */
  add(slot: number, time: number, value: number): void {
    const block = this.blockFor(2);
    const at = block.base + block.length;
    block.integers[2 * at] = time;
    block.integers[2 * at + 1] = slot;
    block.doubles[at + 1] = value;
    block.length += 2;
    this.count += 1;
  }

  /**
   * Adds samples of one time, of the series in the slots from one place to before another.
   *
   * @param valuesFrom where the value of the first of these is.
   */
  addReading(
    time: number,
    slots: Uint32Array,
    from: number,
    to: number,
    values: Float64Array,
    valuesFrom: number,
  ): void {
    const count = to - from;
    const list = count < FEWEST ? 0 : this.numberOf(slots, from, to);
    if (list === 0) {
      for (let at = 0; at < count; at += 1) this.add(slots[from + at], time, values[valuesFrom + at]);
      return;
    }
    for (let at = 0; at < count;) {
      const block = this.blockFor(1 + count - at);
      const { doubles, integers } = block;
      const head = block.base + block.length;
      const its = Math.min(count - at, block.size - block.length - 1);
      integers[2 * head] = time | (list << TIME_BITS);
      integers[2 * head + 1] = (its - 1) | (at << COUNT_BITS);
      for (let place = 0; place < its; place += 1) doubles[head + 1 + place] = values[valuesFrom + at + place];
      block.length += 1 + its;
      at += its;
    }
    this.count += count;
  }

  /** Forgets all samples. */
  clear(): void {
    this.pool.giveBack(this.blocks);
    this.blocks.length = 0;
    this.last = undefined;
    this.count = 0;
    this.room = 0;
  }

  /** With room for so many doubles, or for a sample at least. The first ones are small: there may be very many heads that have few samples. */
  private blockFor(doubles: number): Block {
    const { last } = this;
    if (last && last.length + 2 <= last.size) return last;
    const block = this.pool.take(Math.max(doubles, last ? 2 * last.size : 0));
    this.blocks.push(block);
    this.room += block.size;
    return (this.last = block);
  }

  /** Of the list of these slots, from 1 on; 0 where there is no room for it. */
  private numberOf(slots: Uint32Array, from: number, to: number): number {
    const { lists } = this;
    // Mostly it is that of the row before.
    for (let turn = 0; turn < lists.length; turn += 1) {
      const list = (this.list + turn) % lists.length;
      if (isSameList(lists[list], slots, from, to)) return (this.list = list) + 1;
    }
    if (lists.length === MOST_LISTS) return 0;
    this.list = lists.length;
    return lists.push(LISTS.of(slots, from, to));
  }
}

/** Goes through rows as they came, and later on through those that have come since. */
export class RowCursor {
  /** Of the row at which it stands: its time, */
  time = 0;
  /** how many samples it has, */
  count = 0;
  /** their slots from one place on, */
  slots: Uint32Array = new Uint32Array(1);
  slotsFrom = 0;
  /** and their values. */
  values: Float64Array = new Float64Array(0);
  valuesFrom = 0;

  private readonly single = this.slots;
  private block = 0;
  private place = 0;

  constructor(private readonly rows: Rows) {}

  /** Goes on to the next row; false where there is none yet. */
  next(): boolean {
    const { blocks, lists } = this.rows;
    if (this.block < blocks.length - 1 && this.place === blocks[this.block].length) {
      this.block += 1;
      this.place = 0;
    }
    if (this.block >= blocks.length || this.place === blocks[this.block].length) return false;
    const { doubles, integers, base } = blocks[this.block];
    const at = base + this.place;
    const [first, second] = [integers[2 * at], integers[2 * at + 1]];
    const list = first >>> TIME_BITS;
    if (list === 0) {
      this.count = 1;
      this.slots = this.single;
      this.slots[0] = second;
      this.slotsFrom = 0;
    } else {
      this.count = (second & ((1 << COUNT_BITS) - 1)) + 1;
      this.slots = lists[list - 1];
      this.slotsFrom = second >>> COUNT_BITS;
    }
    this.time = first & ((1 << TIME_BITS) - 1);
    this.values = doubles;
    this.valuesFrom = at + 1;
    this.place += 1 + this.count;
    return true;
  }
}
