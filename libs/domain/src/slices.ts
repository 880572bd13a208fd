/** How long work may hold the event loop before others get their turns, ms: a request that is taken in needs several. */
const SLICE = 1;

/** The same of work that can wait, ms, and how many times as long it rests after each. */
const SHORT_SLICE = 0.5;
const REST = 3;

/** Names that a body brings, from which on it may be one of very many. */
const MANY_NEW = 250;

/** Cuts long work into slices: `if (slices.isOver()) await slices.next();` */
export class Slices {
  private started = performance.now();

  /** @param length of a slice, ms. */
  constructor(private length = SLICE) {}

  isOver(): boolean {
    return performance.now() - this.started >= this.length;
  }

  /** Lets everything that waits go first, and what it asks for: what is read in one turn is written in the next. */
  async next(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    this.started = performance.now();
  }

  /**
   * The same for work that can wait, and gives others several times as long as the slice took: what they send takes several turns to come
   * in. The slices are shorter from now on.
   */
  async rest(): Promise<void> {
    const took = performance.now() - this.started;
    await new Promise((resolve) => setTimeout(resolve, REST * took));
    this.length = Math.min(this.length, SHORT_SLICE);
    this.started = performance.now();
  }

  /** Gives way as work on a body does that has brought so many new names: a flood of them can wait. */
  afterNew(names: number): Promise<void> {
    return names > MANY_NEW ? this.rest() : this.next();
  }
}

/** How many items are cheap enough to go without a look at the clock. */
const WITHOUT_LOOK = 64;

/** Does `act` with each of the items, in slices. */
export async function inSlices<T>(
  items: Iterable<T>,
  act: (item: T, index: number) => void,
  slices = new Slices(),
): Promise<void> {
  if (Array.isArray(items)) {
    // An iterator would make an object for each item.
    for (let index = 0; index < items.length; index += 1) {
      act(items[index] as T, index);
      if (index % WITHOUT_LOOK === WITHOUT_LOOK - 1 && slices.isOver()) await slices.next();
    }
    return;
  }
  let index = 0;
  for (const item of items) {
    act(item, index);
    index += 1;
    if (index % WITHOUT_LOOK === 0 && slices.isOver()) await slices.next();
  }
}

/**
 * Does work that pauses after each of its pieces, in slices, and gives what came of it.
 *
 * @param newNames how many a body has brought so far that is read.
 */
export async function finishInSlices<T>(
  pieces: Iterator<void, T>,
  slices = new Slices(),
  newNames = (): number => 0,
): Promise<T> {
  for (let piece = pieces.next(); ; piece = pieces.next()) {
    if (piece.done) return piece.value;
    if (slices.isOver()) await slices.afterNew(newNames());
  }
}

/** Positions that are put in order, or merged, before a look at the clock. */
const SORTED_AT_ONCE = 1024;

/** The positions from 0 to before `length` in the order that `compare` says, those that are alike as they come; in slices. */
export async function orderInSlices(length: number, compare: (a: number, b: number) => number): Promise<Uint32Array> {
  const slices = new Slices();
  let order = new Uint32Array(length);
  for (let at = 0; at < length; at += 1) order[at] = at;
  for (let from = 0; from < length; from += SORTED_AT_ONCE) {
    order.subarray(from, from + SORTED_AT_ONCE).sort(compare);
    if (slices.isOver()) await slices.next();
  }
  let merged = new Uint32Array(length);
  for (let run = SORTED_AT_ONCE; run < length; run *= 2) {
    let [left, middle, right, end] = [0, 0, 0, 0];
    for (let at = 0; at < length; at += 1) {
      if (at === end) {
        [left, middle, end] = [at, Math.min(at + run, length), Math.min(at + 2 * run, length)];
        right = middle;
      }
      const isLeft = left < middle && (right === end || compare(order[left] as number, order[right] as number) <= 0);
      merged[at] = order[isLeft ? left++ : right++] as number;
      if (at % SORTED_AT_ONCE === 0 && slices.isOver()) await slices.next();
    }
    [order, merged] = [merged, order];
  }
  return order;
}
