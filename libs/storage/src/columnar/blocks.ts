/** Of a sample. */
const BYTES = 16;

/** Room for samples, in columns. */
class Memory {
  readonly slots: Uint32Array;
  readonly times: Uint32Array;
  readonly values: Float64Array;

  constructor(capacity: number, bytes: ArrayBuffer | SharedArrayBuffer) {
    this.values = new Float64Array(bytes, 0, capacity);
    this.times = new Uint32Array(bytes, capacity * 8, capacity);
    this.slots = new Uint32Array(bytes, capacity * 12, capacity);
  }
}

/** Samples one behind the other, whatever their series: in the columns from `base` on. */
export class Block {
  readonly slots: Uint32Array;
  readonly times: Uint32Array;
  readonly values: Float64Array;
  length = 0;

  /** @param memory its own, or what it shares with others. */
  constructor(
    readonly capacity: number,
    { slots, times, values } = new Memory(capacity, new ArrayBuffer(capacity * BYTES)),
    readonly base = 0,
  ) {
    this.slots = slots;
    this.times = times;
    this.values = values;
  }
}

/** Samples of a block that heads fill, and of the memory that many of them share, 1 MiB. */
const SAMPLES = 128;
const SHARED = 1 << 16;

/**
 * Gives the memory of heads that are sealed to those that are opened next, and never back: what heads may hold bounds it.
 * What is allocated outside of V8's heap makes it go through all of its heap, again and again: that was half of what sealing
 * took. And what is of one size leaves no gaps.
 *
 * Nobody but its head may have looked at a block that is given back: what was read of a head stays as it is.
 */
export class BlockPool {
  private readonly free: Block[] = [];
  private memory: Memory | undefined;
  /** How much of the memory has been made blocks. */
  private used = 0;

  /** An empty block. */
  take(): Block {
    const block = this.free.pop();
    if (!block) return this.make();
    block.length = 0;
    return block;
  }

  giveBack(blocks: Iterable<Block>): void {
    for (const block of blocks) this.free.push(block);
  }

  private make(): Block {
    if (!this.memory || this.used === SHARED) {
      // Shared with nobody: but this kind V8 does not count, and so does not collect for.
      this.memory = new Memory(SHARED, new SharedArrayBuffer(SHARED * BYTES));
      this.used = 0;
    }
    const block = new Block(SAMPLES, this.memory, this.used);
    this.used += SAMPLES;
    return block;
  }
}

/** Memory of more samples than this is not kept. */
const MOST_SCRATCH = 1 << 19;

/** One block after the other for what is needed for a while only, in the same memory. */
export class ScratchBlock {
  private block = new Block(0);

  /** An empty block with room for so many samples; what the one before held is gone. */
  of(samples: number): Block {
    if (samples > MOST_SCRATCH) return new Block(samples);
    if (this.block.capacity < samples) this.block = new Block(Math.min(MOST_SCRATCH, Math.ceil(samples * 1.25)));
    this.block.length = 0;
    return this.block;
  }
}
