import {
  EARLIEST_TIMESTAMP,
  labelsKey,
  metricDefinition,
  NO_LABELS,
  passSamples,
  reasonOf,
  showDuration,
  type Reading,
  type Refusal,
  type Sample,
} from '@device-metrics/domain';
import { SourceTimes } from './source-times.js';
import { PartsOfRun, RejectedParts, type RejectedPart } from './parts.js';
import type { Source } from './source.js';
import type { WireSample } from '../upload/spool.js';

/** How the last run of a source ended. */
export interface Outcome {
  /** Whole: everything was read. In part: there are readings, and parts that could not be read or sent. */
  readonly ended: 'whole' | 'part' | 'failed';
  readonly success: boolean;
  /** Milliseconds. */
  readonly duration: number;
  readonly readings: number;
  /** What could not be read or sent. */
  readonly rejected: readonly RejectedPart[];
  /** Why it failed; empty where it did not. */
  readonly reason: string;
}

export interface RunnerOptions {
  /** The device of readings that name none. */
  readonly deviceName: string;
  /** How long a run may take, ms. */
  readonly timeout: number;
  /** How many parts that cannot be read the log names for one reason; the others are counted. */
  readonly mostNamed?: number;
}

const MOST_NAMED = 5;

interface Log {
  log(message: string): void;
  warn(message: string): void;
}

/**
 * Runs one source: ends the wait at the timeout, never runs it twice at once, and keeps how the last run ended. A run
 * that ignores its signal keeps only its own source from running again.
 */
export class SourceRunner {
  outcome: Outcome | undefined;

  private readonly stop = new AbortController();
  private runningSince: number | undefined;
  /** Whether the run in flight has been given up. */
  private overdue = false;
  private refused = '';
  private doubled = '';
  private readonly rejected: RejectedParts;
  private readonly sourceTimes = new SourceTimes();

  constructor(
    readonly source: Source,
    private readonly options: RunnerOptions,
    private readonly log: Log,
  ) {
    this.rejected = new RejectedParts(options.mostNamed ?? MOST_NAMED);
  }

  get name(): string {
    return this.source.name;
  }

  /**
   * Reads the source once; undefined where the run before is still under way in its time. Never rejects: a failure is the
   * outcome and leaves no samples.
   *
   * @param timestamp of all samples of this run, Unix milliseconds.
   */
  async run(timestamp: number): Promise<WireSample[] | undefined> {
    const start = performance.now();
    // A run that still has time is not a failure.
    if (this.runningSince !== undefined && !this.overdue) return undefined;
    const parts = new PartsOfRun();
    let reason = '';
    let samples: Sample[] = [];
    try {
      const readings = this.sourceTimes.unsent(await this.readAll(parts));
      this.rejected.tell(this.name, parts.rejected, this.log);
      samples = this.valid(readings, timestamp, parts);
      this.tellOfDoubles(samples);
    } catch (error) {
      reason = reasonOf(error);
    }
    const rejected = [...parts.rejected, ...parts.leftOut];
    const ended = reason !== '' ? 'failed' : rejected.length > 0 ? 'part' : 'whole';
    const duration = performance.now() - start;
    this.end({ ended, success: reason === '', duration, readings: samples.length, rejected, reason });
    return samples.map(toWire);
  }

  /** Ends the run in flight and lets the source go. Waits for neither longer than 200 ms. */
  async close(): Promise<void> {
    this.stop.abort();
    await Promise.race([
      this.source.close?.().catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, 200)),
    ]);
  }

  /** What was read before a failure counts; only where that is nothing the run fails. */
  private async readAll(parts: PartsOfRun): Promise<Reading[]> {
    try {
      const readings = await this.read(parts);
      const all = parts.kept.length === 0 ? readings : parts.kept.concat(readings);
      const [first] = parts.rejected;
      if (all.length === 0 && first) {
        const more = parts.rejected.length > 1 ? ` (and ${parts.rejected.length - 1} parts more)` : '';
        throw new Error(
          `${first.part}${/^(must|may) /.test(first.reason) && !first.part.startsWith('line ') ? '' : ':'} ${first.reason}${more}`,
        );
      }
      return all;
    } catch (error) {
      if (parts.kept.length === 0) throw error;
      parts.reject('the rest', reasonOf(error));
      return parts.kept;
    } finally {
      parts.end();
    }
  }

  private async read(parts: PartsOfRun): Promise<Reading[]> {
    if (this.runningSince !== undefined) {
      const since = showDuration(performance.now() - this.runningSince);
      throw new Error(`the run that began ${since} ago has not ended yet`);
    }
    const { timeout } = this.options;
    const abort = new AbortController();
    let giveUp: (reason: string) => void = () => undefined;
    const givenUp = new Promise<never>((_resolve, reject) => (giveUp = (reason) => reject(new Error(reason))));
    const timer = setTimeout(() => giveUp(`no answer within ${showDuration(timeout)}`), timeout);
    const stopped = (): void => giveUp('the collector stops');
    this.stop.signal.addEventListener('abort', stopped);
    this.runningSince = performance.now();
    this.overdue = false;
    const ended = Promise.resolve()
      .then(() => this.source.read(abort.signal, parts))
      .finally(() => (this.runningSince = undefined));
    try {
      return await Promise.race([ended, givenUp]);
    } finally {
      this.overdue = true;
      clearTimeout(timer);
      this.stop.signal.removeEventListener('abort', stopped);
      abort.abort();
    }
  }

  /** Leaves out what the rules of samples refuse, and says so when the reason is a new one. */
  private valid(readings: readonly Reading[], timestamp: number, parts: PartsOfRun): Sample[] {
    const candidates = readings.map((reading) => candidateOf(reading, this.options.deviceName, timestamp));
    const { samples, refused } = passSamples(
      { samples: candidates },
      { receivedAt: timestamp, oldest: EARLIEST_TIMESTAMP },
    );
    const nameOf = ({ item }: Refusal): string => readings[item]?.metricName ?? '';
    for (const refusal of refused) parts.refuse(nameOf(refusal), `${refusal.field} ${refusal.reason}`);
    const [first] = refused;
    const reason = first ? `${nameOf(first)}: ${first.field} ${first.reason}` : '';
    // By metric and field, as the reason quotes a value that may be another one each time.
    const kind = first ? `${nameOf(first)} ${first.field}` : '';
    if (kind !== '' && kind !== this.refused) {
      this.log.warn(`${this.name}: ${refused.length} readings cannot be sent, as ${reason}`);
    }
    this.refused = kind;
    if (first && samples.length === 0) throw new Error(`no reading can be sent: ${reason}`);
    return samples;
  }

  /** Of readings of one series at one time the last one counts: says so, when the series is a new one. */
  private tellOfDoubles(samples: readonly Sample[]): void {
    const seen = new Set<string>();
    let first: Sample | undefined;
    for (const sample of samples) {
      const known = seen.size;
      seen.add(`${sample.deviceName}\n${sample.metricName}\n${labelsKey(sample.labels)}`);
      if (seen.size === known) first ??= sample;
    }
    const doubled = first ? `${first.deviceName} ${first.metricName} ${JSON.stringify(first.labels)}` : '';
    if (doubled !== '' && doubled !== this.doubled) {
      this.log.warn(
        `${this.name}: of ${samples.length} readings only ${seen.size} count, ` +
          `as later ones have the same device, metric and labels: ${doubled}`,
      );
    }
    this.doubled = doubled;
  }

  private end(outcome: Outcome): void {
    if (this.stop.signal.aborted) return;
    const before = this.outcome?.success ?? true;
    if (before && !outcome.success) this.log.warn(`${this.name} fails: ${outcome.reason}`);
    if (!before && outcome.success) this.log.log(`${this.name} works again`);
    this.outcome = outcome;
  }
}

/** A reading with what the runner adds to it. */
function candidateOf(reading: Reading, deviceName: string, timestamp: number): Sample {
  return {
    deviceName: reading.deviceName ?? deviceName,
    metricName: reading.metricName,
    unit: reading.unit ?? metricDefinition(reading.metricName)?.unit,
    labels: reading.labels ?? NO_LABELS,
    value: reading.value,
    timestamp: reading.timestamp ?? timestamp,
  };
}

/** A sample as the wire carries it. */
function toWire({ deviceName, metricName, unit, labels, value, timestamp }: Sample): WireSample {
  return {
    device_name: deviceName,
    metric_name: metricName,
    value,
    ...(unit !== undefined && { unit }),
    ...(labels !== NO_LABELS && { labels }),
    timestamp,
  };
}

/** A reading of the collector itself as the wire carries it. */
export const toWireSample = (reading: Reading, deviceName: string, timestamp: number): WireSample =>
  toWire(candidateOf(reading, deviceName, timestamp));
