import { spareOf, type SpareColumns } from '@device-metrics/formats';

/** Pieces of memory that are kept: so many, of at most so many bytes. */
const MOST_SPARE = 4;
const LARGEST_SPARE = 1 << 20;

/**
 * Keeps memory for the next requests: what need not be allocated for each need not be collected, and what comes fresh from the
 * system takes as long to be touched for the first time as to be filled.
 */
class Spares<T> {
  private readonly kept: T[] = [];

  take(): T | undefined {
    return this.kept.pop();
  }

  protected keep(one: T, bytes: number): void {
    if (this.kept.length < MOST_SPARE && bytes <= LARGEST_SPARE) this.kept.push(one);
  }
}

/** The memory of decoded columns. */
export class SparePool extends Spares<SpareColumns> {
  /** Takes back columns that nobody looks at any more. */
  giveBack(columns: SpareColumns): void {
    this.keep(spareOf(columns), columns.timestamps.buffer.byteLength);
  }
}

/** The memory of bodies after decompression. */
export class SpareBytes extends Spares<Uint8Array> {
  /** Takes back bytes that nobody looks at any more. */
  giveBack({ buffer }: Uint8Array): void {
    this.keep(Buffer.from(buffer), buffer.byteLength);
  }
}
