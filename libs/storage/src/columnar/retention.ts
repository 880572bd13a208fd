import { HOUR, DAY, Slices } from '@device-metrics/domain';
import type { Heads } from './heads.js';
import { chunkId, hourOf } from './hour.js';
import type { Later } from './later.js';
import type { SeriesCatalogue } from './series-catalogue.js';
import { SingleRun } from './single-run.js';

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

/** What retention needs of the database. */
export interface RetentionTables {
  /** Whether this store looks after a device: of several that share a database, one does. */
  seals(deviceId: number): boolean;
  /** Drops the samples of a device from hour `from` to before `to`, of at most `limit` chunks; gives the hour to go on from. */
  dropData(deviceId: number, from: number, to: number, limit: number): Later<number | undefined>;
  /** Deletes what a device has from hour `from` to before `to`, at most `limit` chunks; gives the hour to go on from. */
  delete(deviceId: number, from: number, to: number, limit: number): Later<number | undefined>;
  /** The hours of a device that have parts. */
  hoursWithParts(deviceId: number): Iterable<number>;
  /** Whether the chunk of a device and hour is to be left as it is, so that parts stay beside it. */
  isClosed(id: number): boolean;
  /** Gives some room back to the disk; false once there is none left to give. */
  shrink(): boolean;
}

/** Drops what is older than it is to be kept, and makes the file smaller. */
export class Retention {
  private readonly raw: number;
  private readonly hourly: number;
  /** By device: the samples of the hours before this one have been dropped. */
  private readonly rawFrom = new Map<number, number>();
  /** By device: the hours before this one have been deleted. */
  private readonly hourlyFrom = new Map<number, number>();
  private readonly work = new SingleRun(() => this.goThrough(this.now()));

  constructor(
    private readonly catalogue: SeriesCatalogue,
    private readonly heads: Heads,
    private readonly tables: RetentionTables,
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
      if (!this.tables.seals(id)) continue;
      await this.dropRaw(id, now, slices);
      await this.deleteHourly(id, now, slices);
    }
    while (!this.work.stopped && this.tables.shrink()) await slices.next();
  }

  private async dropRaw(deviceId: number, now: number, slices: Slices): Promise<void> {
    if (this.raw === Infinity) return;
    const from = this.rawFrom.get(deviceId) ?? 0;
    const to = this.notBeyondOpen(deviceId, Math.max(0, hourOf(now - this.raw)));
    if (to <= from) return;
    let hour: number | undefined = from;
    while ((hour = await this.tables.dropData(deviceId, hour, to, CHUNK_SLICE)) !== undefined) await slices.next();
    this.rawFrom.set(deviceId, to);
  }

  private async deleteHourly(deviceId: number, now: number, slices: Slices): Promise<void> {
    if (this.hourly === Infinity) return;
    const from = this.hourlyFrom.get(deviceId) ?? 0;
    const to = this.notBeyondOpen(deviceId, hourOf(this.oldestKept(now)));
    if (to <= from) return;
    let hour: number | undefined = from;
    while ((hour = await this.tables.delete(deviceId, hour, to, CHUNK_SLICE)) !== undefined) await slices.next();
    this.hourlyFrom.set(deviceId, to);
  }

  /**
   * An hour with a head or parts is made a chunk first: dropping its chunk now would leave a chunk of the others only.
   * Parts that can't become a chunk, since the database is damaged there, do not hold it up.
   */
  private notBeyondOpen(deviceId: number, hour: number): number {
    let first = this.heads.ofDevice(deviceId).reduce((before, head) => Math.min(before, head.hour), hour);
    for (const other of this.tables.hoursWithParts(deviceId)) {
      if (!this.tables.isClosed(chunkId(deviceId, other))) first = Math.min(first, other);
    }
    return first;
  }
}
