import { Slices } from '@device-metrics/domain';
import type { Database } from 'better-sqlite3';
import type { PieceTable } from './piece-table.js';
import type { Heads } from '../columnar/heads.js';
import { chunkId, HOUR, hourOf } from '../columnar/hour.js';
import { SingleRun } from '../columnar/single-run.js';
import type { SeriesCatalogue } from '../columnar/series-catalogue.js';

const DAY = 24 * HOUR;

/** How long samples and hours are kept, ms; 0 means for ever. */
export interface RetentionPeriods {
  /** Of samples; at least a day. */
  readonly rawRetention: number;
  /** Of the hourly values that remain of them; at least as long. */
  readonly hourlyRetention: number;
}

/** Late samples may be this share of the raw retention old, so that an hour is sealed long before its samples go. */
const LATE_SHARE = 0.9;

/** Chunks that one transaction drops or deletes. */
const CHUNK_SLICE = 32;
/** Pages that one transaction gives back to the file system. */
const PAGE_SLICE = 64;
/** Free pages up to this share of the file stay for what comes next. */
const KEPT_FREE = 1 / 50;

/** Drops what is older than it is to be kept, and makes the file smaller. */
export class Retention {
  private readonly raw: number;
  private readonly hourly: number;
  /** By device: the samples of the hours before this one have been dropped. */
  private readonly rawFrom = new Map<number, number>();
  private readonly work = new SingleRun(() => this.goThrough(this.now()));

  constructor(
    private readonly db: Database,
    private readonly catalogue: SeriesCatalogue,
    private readonly heads: Heads,
    private readonly pieces: PieceTable,
    { rawRetention, hourlyRetention }: RetentionPeriods,
    /** The clock, Unix milliseconds. */
    private readonly now: () => number,
  ) {
    if (rawRetention !== 0 && rawRetention < DAY) {
      throw new RangeError(`rawRetention must be 0 or at least ${DAY} ms (a day), got ${rawRetention}`);
    }
    this.raw = rawRetention || Infinity;
    this.hourly = hourlyRetention || Infinity;
    if (this.hourly < this.raw) {
      throw new RangeError(`hourlyRetention must be 0 or at least rawRetention, got ${hourlyRetention}`);
    }
  }

  /** Samples before this are too late to be taken. */
  oldestTimestamp(now = this.now()): number {
    return this.raw === Infinity ? 0 : Math.max(0, Math.floor(now - this.raw * LATE_SHARE));
  }

  /** Whatever is older than this has been deleted, or will be. */
  oldestKept(now = this.now()): number {
    return this.hourly === Infinity ? 0 : Math.max(0, hourOf(now - this.hourly) * HOUR);
  }

  /** Goes through all devices; together with a run that is under way, if there is one. */
  run(): Promise<void> {
    return this.work.run();
  }

  /** Ends at the next opportunity. */
  stop(): Promise<void> {
    return this.work.stop();
  }

  private async goThrough(now: number): Promise<void> {
    const slices = new Slices();
    for (const { id } of [...this.catalogue.allDevices()]) {
      if (this.work.stopped) return;
      await this.dropRaw(id, now, slices);
      await this.deleteHourly(id, now, slices);
    }
    await this.shrink(slices);
  }

  private async dropRaw(deviceId: number, now: number, slices: Slices): Promise<void> {
    if (this.raw === Infinity) return;
    const from = this.rawFrom.get(deviceId) ?? 0;
    const to = this.notBeyondOpen(deviceId, Math.max(0, hourOf(now - this.raw)));
    if (to <= from) return;
    let hour: number | undefined = from;
    while ((hour = this.pieces.dropData(deviceId, hour, to, CHUNK_SLICE)) !== undefined) await slices.next();
    this.rawFrom.set(deviceId, to);
  }

  private async deleteHourly(deviceId: number, now: number, slices: Slices): Promise<void> {
    if (this.hourly === Infinity) return;
    const to = this.notBeyondOpen(deviceId, hourOf(this.oldestKept(now)));
    let hour: number | undefined = 0;
    while ((hour = this.pieces.delete(deviceId, hour, to, CHUNK_SLICE)) !== undefined) await slices.next();
  }

  /**
   * An hour with a head or parts is made a chunk first: dropping its chunk now would leave a chunk of the others only.
   * Parts that can't become a chunk, since the database is damaged there, do not hold it up.
   */
  private notBeyondOpen(deviceId: number, hour: number): number {
    let first = this.heads.ofDevice(deviceId).reduce((before, head) => Math.min(before, head.hour), hour);
    for (const other of this.pieces.hoursWithParts(deviceId)) {
      if (!this.pieces.isClosed(chunkId(deviceId, other))) first = Math.min(first, other);
    }
    return first;
  }

  private async shrink(slices: Slices): Promise<void> {
    const pages = (name: 'freelist_count' | 'page_count'): number => this.db.pragma(name, { simple: true }) as number;
    while (!this.work.stopped && pages('freelist_count') > Math.max(PAGE_SLICE, pages('page_count') * KEPT_FREE)) {
      this.db.pragma(`incremental_vacuum(${PAGE_SLICE})`);
      await slices.next();
    }
  }
}
