import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Enough for the log of some hundred deletes, or for the samples that wait in memory. */
const BYTES = 4 * 2 ** 20;

/**
 * A file that holds room on the disk for when another program has filled it: then it goes, and what deletes from the spool
 * has room for its log. Once something is deleted there is room again, and the file comes back.
 */
export class SpoolReserve {
  private readonly file: string;

  constructor(
    spoolFile: string,
    private readonly minFreeBytes: number,
    private readonly freeBytes: (folder: string) => number = freeBytesOf,
  ) {
    this.file = `${spoolFile}.reserve`;
  }

  /** Makes it where it is not there and there is room enough. A disk that cannot hold it has none. */
  keep(): void {
    if (existsSync(this.file)) return;
    if (this.freeBytes(dirname(this.file)) < this.minFreeBytes + 2 * BYTES) return;
    try {
      // Random: a file system that compresses would hold no room by zeros.
      const bytes = randomBytes(BYTES);
      const handle = openSync(this.file, 'w');
      try {
        writeSync(handle, bytes);
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
    } catch {
      this.giveUp();
    }
  }

  /** Gives its room to the disk; false where it was not there. */
  giveUp(): boolean {
    const isThere = existsSync(this.file);
    rmSync(this.file, { force: true });
    return isThere;
  }
}

export function freeBytesOf(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
