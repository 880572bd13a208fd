import { totalmem } from 'node:os';
import { DAY, reasonOf } from '@device-metrics/domain';
import type { RetentionPeriods } from './retention.js';
import type { SealSettings } from './sealer.js';
import type { SeriesLimits } from './series-limit.js';

export interface StoreSettings extends RetentionPeriods, SealSettings, SeriesLimits {
  /** How often heads are looked at for sealing, ms; 0 leaves it all to `maintain`. */
  readonly sealInterval: number;
  /** Hears of what went wrong in the background; it is tried again. */
  readonly onProblem: (problem: unknown) => void;
}

/** Bytes that the machine has, or those that its cgroup may use, where that is less. */
const MEMORY = Math.min(totalmem(), process.constrainedMemory() || Infinity);

/** A sixteenth of the memory, and 100 MiB at most: the more samples of an hour become a part together, the less each of them costs. */
const MAX_OPEN_SAMPLES = Math.floor(Math.min(100 << 20, MEMORY / 16) / 8);

export const DEFAULT_SETTINGS: StoreSettings = {
  rawRetention: 90 * DAY,
  hourlyRetention: 5 * 365 * DAY,
  sealDelay: 5 * 60_000,
  maxHeadSamples: 1 << 18,
  maxOpenSamples: MAX_OPEN_SAMPLES,
  maxSeriesPerDevice: 20_000,
  maxNewSeriesPerMinute: 10_000,
  now: Date.now,
  sealInterval: 1000,
  onProblem: (problem) => process.emitWarning(reasonOf(problem)),
};

/** How often retention is looked after, ms. */
export const RETENTION_INTERVAL = 10 * 60_000;
