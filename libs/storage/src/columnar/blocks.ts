/** Of a sample. */
const BYTES = 16;

/** Samples one behind the other, whatever their series. */
export class Block {
  readonly slots: Uint32Array;
  readonly times: Uint32Array;
  readonly values: Float64Array;
  length = 0;

  constructor(
    readonly capacity: number,
    memory: ArrayBuffer | SharedArrayBuffer = new ArrayBuffer(capacity * BYTES),
  ) {
    this.values = new Float64Array(memory, 0, capacity);
    this.times = new Uint32Array(memory, capacity * 8, capacity);
    this.slots = new Uint32Array(memory, capacity * 12, capacity);
  }
}

/** Samples of a block that heads fill: these are powers of two from the smallest on. */
const SMALLEST = 64;
const LARGEST = 512;

/** Samples whose room is kept for later heads, 32 MiB: more than is sealed at a time when the heads hold too much. */
const MOST_KEPT = 1 << 21;

/**
 * Gives the memory of heads that are sealed to those that are opened next. What is allocated outside of V8's heap makes it
 * go through all of its heap, again and again: that was half of what sealing took.
 *
 * Nobody but its head may have looked at a block that is given back: what was read of a head stays as it is.
 */
export class BlockPool {
  /** By the power of two that they have room for. */
  private readonly free: Block[][] = [];
  private kept = 0;

  /** An empty block that has room for so many samples, as long as these are no more than the largest has. */
  take(samples: number): Block {
    const power = Math.ceil(Math.log2(Math.max(SMALLEST, Math.min(LARGEST, samples))));
    const block = this.free[power]?.pop();
    // Shared with nobody: but this kind V8 does not count, and so does not collect for. What heads may hold bounds it.
    if (!block) return new Block(2 ** power, new SharedArrayBuffer(2 ** power * BYTES));
    this.kept -= block.capacity;
    block.length = 0;
    return block;
  }

  giveBack(blocks: Iterable<Block>): void {
    for (const block of blocks) {
      if (this.kept + block.capacity > MOST_KEPT) return;
      (this.free[Math.log2(block.capacity)] ??= []).push(block);
      this.kept += block.capacity;
    }
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
