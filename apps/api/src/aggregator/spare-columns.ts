import { spareOf, type SpareColumns } from '@device-metrics/formats';

/** Columns whose memory is kept: so many, of at most so many samples. */
const MOST_SPARE = 4;
const LARGEST_SPARE = 1 << 16;

/** Keeps the memory of columns for the next requests: what need not be allocated for each need not be collected. */
export class SparePool {
  private readonly spare: SpareColumns[] = [];

  take(): SpareColumns | undefined {
    return this.spare.pop();
  }

  /** Takes back columns that nobody looks at any more. */
  giveBack(columns: SpareColumns): void {
    if (this.spare.length >= MOST_SPARE || columns.timestamps.buffer.byteLength > LARGEST_SPARE * 8) return;
    this.spare.push(spareOf(columns));
  }
}
