/** Doubles of the smallest and of the largest block, and of the memory that many of them share, 1 MiB; all are powers of two. */
export const SMALLEST = 32;
export const LARGEST = 256;
const SHARED = 1 << 17;

/** Room for so many doubles; two integers of 32 bits may stand in the place of one. */
class Memory {
  readonly doubles: Float64Array;
  readonly integers: Uint32Array;

  constructor() {
    // Shared with nobody: but this kind V8 does not count, and so does not collect for.
    const bytes = new SharedArrayBuffer(SHARED * 8);
    this.doubles = new Float64Array(bytes);
    this.integers = new Uint32Array(bytes);
  }
}

/** A part of memory that holds up to `size` doubles from `base` on, so many as are used. */
export class Block {
  length = 0;
  readonly doubles: Float64Array;
  readonly integers: Uint32Array;

  constructor(
    { doubles, integers }: Memory,
    readonly base: number,
    readonly size: number,
  ) {
    this.doubles = doubles;
    this.integers = integers;
  }
}

/**
 * Gives the memory of heads that are sealed to those that are opened next, and never back: what heads may hold bounds it.
 * What is allocated outside of V8's heap makes it go through all of its heap, again and again: that was half of what sealing
 * took. And what is of few sizes leaves no gaps.
 *
 * Nobody but its head may have looked at a block that is given back: what was read of a head stays as it is.
 */
export class BlockPool {
  /** By size. */
  private readonly free = new Map<number, Block[]>();
  private memory: Memory | undefined;
  /** How much of the memory has been made blocks. */
  private used = 0;

  /** An empty block for so many doubles, or, where these are more than the largest one holds, of that size. */
  take(doubles: number): Block {
    let size = SMALLEST;
    while (size < doubles && size < LARGEST) size *= 2;
    const block = this.free.get(size)?.pop();
    if (!block) return this.make(size);
    block.length = 0;
    return block;
  }

  giveBack(blocks: Iterable<Block>): void {
    for (const block of blocks) {
      const free = this.free.get(block.size);
      if (free) free.push(block);
      else this.free.set(block.size, [block]);
    }
  }

  private make(size: number): Block {
    if (!this.memory || this.used + size > SHARED) {
      this.memory = new Memory();
      this.used = 0;
    }
    const block = new Block(this.memory, this.used, size);
    this.used += size;
    return block;
  }
}
