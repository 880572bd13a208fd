import type {
  DeviceSelector,
  Labels,
  Sample,
  SampleBatch,
  Selector,
  Series,
  SeriesGroup,
  Summary,
  TimeRange,
  NamedSeries,
} from '@device-metrics/domain';

/** Samples of one series, in ascending order of time, one per timestamp. */
export interface SeriesSamples {
  readonly series: Series;
  /** Unix milliseconds. */
  readonly timestamps: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** A span of time in which the samples of a device are kept in one way. */
export interface Tier extends TimeRange {
  /** How long a time each summary is of, ms, where only summaries are left; 0 where every sample is there. */
  readonly resolution: number;
}

export interface ReadOptions {
  /**
   * What stands for samples of which only a summary is left, if the time that it is of begins in the range.
   *
   * - `mean`: one sample, their mean, where that time begins.
   * - `ends`: the first and the last sample, and what tells that a counter started again between them.
   *
   * Left out: nothing.
   */
  readonly summaries?: 'mean' | 'ends';
}

export interface SeriesSummary {
  readonly series: Series;
  readonly summary: Readonly<Summary>;
}

/** Summaries of some series that follow each other: those from place `from` to before `to` among all that were asked for. */
export interface SummaryPart {
  readonly from: number;
  readonly to: number;
  /** Samples of the series in a place. */
  countOf(place: number): number;
  /** The summary of the series in a place; undefined without samples. It is the same object each time. */
  of(place: number): Readonly<Summary> | undefined;
}

/**
 * What there is of the samples of a step; their mean is `sum / count`. `firstTime` and `lastTime` are Unix milliseconds. `grown` is
 * what a counter grew from the first sample to the last: a value below the one before it is a counter that started again at 0.
 * Where only summaries are left it has grown by at least so much.
 */
export type StepAggregate = 'count' | 'min' | 'max' | 'sum' | 'first' | 'firstTime' | 'last' | 'lastTime' | 'grown';

export interface StepQuery {
  /** The first step begins at its start. */
  readonly range: TimeRange;
  /** Length of a step, ms, greater than 0. */
  readonly step: number;
  readonly aggregates: readonly StepAggregate[];
}

/** The steps of one series that have samples, in order of time. */
export interface SeriesSteps {
  readonly series: Series;
  /** When each begins, Unix milliseconds. */
  readonly starts: Float64Array;
  /** For each of the aggregates that were asked for one number of each step. */
  readonly columns: readonly Float64Array[];
}

/** The latest sample of one series. */
export interface SeriesLatest {
  readonly series: Series;
  /** Unix milliseconds. */
  readonly timestamp: number;
  readonly value: number;
}

/** Why there may not be a new series. */
export interface SeriesRefusal {
  /** The device, the limit, and what grows. */
  readonly reason: string;
  /** From when on there may be one again, Unix ms; left out: not until others are gone. */
  readonly until?: number;
}

/** A group of samples that is not stored, counted from 0. */
export interface RefusedGroup extends SeriesRefusal {
  readonly group: number;
}

/**
 * Keeps samples for years. A series and a timestamp are the natural key: the last write wins, so that a resend changes
 * nothing. Of samples that are older than the raw retention only summaries are left.
 */
export interface SampleStore {
  /**
   * Resolves once all the samples are on disk, fsynced; on a rejection none of them is. Within one call, too, the later
   * sample of a key wins. Unknown devices and series come into being with their first sample; very
   * many of them before it, and where it then fails they are there without one.
   *
   * @throws StoreFullError when the disk or the database has no room.
   * @throws TooManySeriesError when a device would have too many series, or too many new ones: `refusedGroups` says which.
   * @throws TooLateError when a sample is more than an hour older than `oldestTimestamp` says: nobody who asks that
   *   first and then appends at once ever sees it.
   */
  append(samples: SampleBatch): Promise<void>;

  /**
   * Which groups of samples cannot be stored now for a series too many, in their order; the others can, together. A group has
   * the samples up to its place in `ends`, and is stored whole or not at all.
   */
  refusedGroups(samples: SampleBatch, ends: ArrayLike<number>): Promise<RefusedGroup[]>;

  /** Samples before this time, Unix ms, are not taken any more: soon only summaries are left of their time. */
  oldestTimestamp(): number;

  /** The unit of the series that a sample goes to: null while nobody has said, undefined while there is none. */
  unitOf(sample: Pick<Sample, 'deviceName' | 'metricName' | 'labels'>): string | null | undefined;

  /**
   * Whether the series of a group are known to have the units that it says, those that say one; false also where not all of them
   * have been stored or asked for before.
   */
  hasUnits(group: SeriesGroup): boolean;

  /** The series that samples of these names go to, in their order; undefined where there is none. */
  seriesOf(names: readonly NamedSeries[]): Promise<(Series | undefined)[]>;

  /** The selected series, by device, metric and labels; an unknown device has none. */
  findSeries(selector: Selector): Promise<readonly Series[]>;

  /**
   * How the samples of a device are kept within the range: spans in order of time that cover it, each as coarse as the
   * coarsest that there is in it. The last one may reach beyond the range, where its last summary does. Of an unknown
   * device there is one span, of resolution 0; of an empty range there is none.
   */
  tiers(deviceName: string, range: TimeRange): Promise<readonly Tier[]>;

  /**
   * The samples of each series within the range, in the order of `series`; a series without any is left out. Where only
   * summaries are left there are none, unless `options` say what stands for them. Only a part of the answer is in memory
   * at a time, but all of one series: page through long ranges.
   */
  readSamples(series: readonly Series[], range: TimeRange, options?: ReadOptions): AsyncIterable<SeriesSamples>;

  /**
   * The summary of each series over the range, in the order of `series`; a series without samples there is left out.
   * Where only summaries are left, one counts as a whole if the time that it is of begins in the range.
   */
  summarize(series: readonly Series[], range: TimeRange): Promise<SeriesSummary[]>;

  /**
   * The same of very many series, some at a time, with all that follow each other of one device in one part. A part is over
   * once the next one is asked for.
   */
  summarizeInParts(series: readonly Series[], range: TimeRange): AsyncIterable<SummaryPart>;

  /** Each series in steps of time, in the order of `series`; steps and series without samples are left out. */
  readSteps(series: readonly Series[], query: StepQuery): AsyncIterable<SeriesSteps>;

  /** The latest sample of each series, in the order of `series`. */
  latest(series: readonly Series[]): Promise<SeriesLatest[]>;
}

/** What people say of a device. */
export interface DeviceDescription {
  /** What to call it in place of its name; null: nothing else. */
  readonly displayName: string | null;
  readonly notes: string | null;
  /** String pairs to find and group devices by, such as `{room: "lab"}`. */
  readonly tags: Labels;
}

/** A device, what people say of it, and what there is of it. */
export interface StoredDevice extends DeviceDescription {
  readonly name: string;
  /** Names that it had before, for which samples still go to it. */
  readonly formerNames: readonly string[];
  readonly seriesCount: number;
  /** Time of its oldest sample that is kept, Unix milliseconds; undefined once all have passed their retention. */
  readonly firstTime: number | undefined;
  /** Time of its newest sample ever, Unix milliseconds. */
  readonly lastTime: number;
}

/** The devices that samples have come from. */
export interface DeviceStore {
  /** The selected devices, by name; all without a selector. */
  devices(selector?: DeviceSelector): Promise<readonly StoredDevice[]>;

  /**
   * The times of the last readings of devices that were found before, Unix milliseconds, ascending, in their order: of a series of each
   * that has had most samples of late, up to 65 of them, and only what is at hand. Undefined where a store keeps none.
   */
  readonly recentReadings?:
    ((devices: readonly Pick<StoredDevice, 'name'>[]) => Promise<readonly number[][]>) | undefined;

  /** The device of this name; undefined when there is none. */
  device(name: string): Promise<StoredDevice | undefined>;

  /**
   * Changes what is said of a device, and gives the device; undefined when there is none of this name. `change` gets what
   * is said now, and gives what is to be different. It is one step with what it reads and writes, so that of two changes
   * at once none is lost. What it throws is thrown, and nothing has changed.
   */
  describeDevice(
    name: string,
    change: (before: DeviceDescription) => Partial<DeviceDescription>,
  ): Promise<StoredDevice | undefined>;

  /**
   * Gives a device another name, and gives the device; undefined when there is none of this name. Its history goes with it,
   * and samples for the old name go on to it until another device is given that name.
   *
   * @throws DeviceTakenError when there is a device of the new name.
   */
  renameDevice(name: string, newName: string): Promise<StoredDevice | undefined>;

  /**
   * Gives all that a device has to another, and gives that one; undefined when one of them is not there. Series of the same
   * metric and labels become one. Where both have a sample of a time, that of `into` stays; of hours of which only summaries
   * are left, these are added up. Samples for the names of the device go on to `into`, until another device is given such a
   * name. `describe` gets what is said of both, and gives what is to be said of `into`; what it throws is thrown, and nothing
   * has changed. It resolves once the whole history has moved. After a crash the devices are as before, or the rest
   * follows after the next start.
   *
   * @throws NotMergeableError
   */
  mergeDevices(
    name: string,
    into: string,
    describe: (source: DeviceDescription, target: DeviceDescription) => DeviceDescription,
  ): Promise<StoredDevice | undefined>;

  /** Deletes a series with its samples; false when there is none of this id. A sample that comes later makes a new one. */
  deleteSeries(deviceName: string, seriesId: number): Promise<boolean>;

  /**
   * Deletes a device with its series and samples; false when there is none of this name. Once it resolves, nothing of the
   * device is read again. That holds after a crash too. A sample that comes later makes a new device of that name.
   */
  deleteDevice(name: string): Promise<boolean>;
}

/** What an operator wants to know of a store. */
export interface StoreHealth {
  readonly devices: number;
  readonly series: number;
  /** Commits that are in the journal only, and the bytes of their rows. */
  readonly journalRows: number;
  readonly journalBytes: number;
  /** Hours of devices that are in memory, and the samples there. */
  readonly heads: number;
  readonly headSamples: number;
  /** Pieces that were found damaged and set aside since the store was made; anything but 0 means that data is lost. */
  readonly damaged: number;
  /** What the database takes on disk, without its write-ahead log, and how much of that is free to use. */
  readonly bytes: number;
  readonly freeBytes: number;
}

/** Samples that another process has taken, position by position; all of it holds during the call only. */
export interface OthersSamples {
  readonly series: readonly Series[];
  /** Their devices, as they follow each other, and the positions from and before which samples are of each. */
  readonly runs: readonly { readonly device: { readonly name: string }; readonly from: number; readonly to: number }[];
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
}

export interface OthersListener {
  /** @param age how long ago they were stored, ms. */
  hear(samples: OthersSamples, age: number): void;
  /** Whether somebody waits for them, so that they are to be read a few times a second. */
  isWaiting(): boolean;
}

/** What keeps a store running. */
export interface StoreOperation {
  /** Does at once what is otherwise done from time to time: tidies up, drops what is too old, takes less room. */
  maintain(): Promise<void>;

  /**
   * Writes a consistent copy to a new file at `path`, while everything else goes on. Undefined where the database has
   * means of its own.
   */
  readonly backup?: ((path: string) => Promise<void>) | undefined;

  health(): Promise<StoreHealth>;

  /** What the clock says that samples go by, Unix ms: over PostgreSQL that of the database, which is one for all processes. */
  now(): number;

  /** The time by which things are too old to be kept, Unix ms: what the clock says, as long as that can be right. */
  trustedNow(): number;

  /**
   * Whether this process is the one that does a work on schedule, such as `alerts`, now: of several that share a database one is,
   * until it ends or is silent for ten seconds.
   */
  holds(work: string): Promise<boolean>;

  /** Takes note of up to when such a work is done, Unix ms, for whoever holds it next. Undefined where there is nobody else. */
  readonly noteDone?: ((work: string, time: number) => Promise<void>) | undefined;

  /** What was noted last by the process that held it; undefined where nothing was. */
  readonly lastDone?: ((work: string) => Promise<number | undefined>) | undefined;

  /** How many processes share the database now, this one included, as far as it knows. */
  readonly processes: number;

  /**
   * Tells a listener of the samples that other processes take, once this one reads them. Undefined where there are no others.
   *
   * @returns what ends it.
   */
  readonly hearOthers?: ((listener: OthersListener) => () => void) | undefined;

  /** Resolves if the store answers. */
  ping(): Promise<void>;

  /** Ends what is under way; afterwards every call is rejected. */
  close(): Promise<void>;
}

/** A whole store. It knows no database: every implementation passes `store.test.ts`. */
export interface Store extends SampleStore, DeviceStore, StoreOperation {}

/** The disk or the database has no room for what was to be appended; once it has, the same call succeeds. */
export class StoreFullError extends Error {
  override readonly name = 'StoreFullError';
}

/** The database cannot be used now; once it can, the same call succeeds. Whether what was written is there is not known. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/** A device has as many series as it may; the message names the label that grows. */
export class TooManySeriesError extends Error {
  override readonly name = 'TooManySeriesError';

  constructor(readonly refusal: SeriesRefusal) {
    super(`device ${refusal.reason}`);
  }
}

/** There is a device of the name that another was to be given. */
export class DeviceTakenError extends Error {
  override readonly name = 'DeviceTakenError';

  constructor(readonly deviceName: string) {
    super(`there is a device ${deviceName}`);
  }
}

/** Two devices cannot become one; the message says why. */
export class NotMergeableError extends Error {
  override readonly name = 'NotMergeableError';
}

/** A sample is older than the store takes: its hour has lost its samples, or is about to. */
export class TooLateError extends RangeError {
  override readonly name = 'TooLateError';
}
