import { decodeBatch, MAX_ITEMS, type RejectedItem } from '@device-metrics/contract/batch-decoder';
import { labelsKey, metricDefinition, reasonOf, showDuration, type Reading } from '@device-metrics/domain';
import { PartsOfRun, RejectedParts, type RejectedPart } from './parts.js';
import type { Source } from './source.js';
import type { Metric } from './upload/spool.js';

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
  async run(timestamp: number): Promise<Metric[] | undefined> {
    const start = performance.now();
    // A run that still has time is not a failure.
    if (this.runningSince !== undefined && !this.overdue) return undefined;
    const parts = new PartsOfRun();
    let reason = '';
    let metrics: Metric[] = [];
    try {
      const readings = await this.readAll(parts);
      const all = readings.map((reading) => toMetric(reading, this.options.deviceName, timestamp));
      this.rejected.tell(this.name, parts.rejected, this.log);
      metrics = this.valid(all, timestamp, parts);
      this.tellOfDoubles(metrics);
    } catch (error) {
      reason = reasonOf(error);
    }
    const { rejected } = parts;
    const ended = reason !== '' ? 'failed' : rejected.length > 0 ? 'part' : 'whole';
    const duration = performance.now() - start;
    this.end({ ended, success: reason === '', duration, readings: metrics.length, rejected, reason });
    return metrics;
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
        throw new Error(`${first.part}: ${first.reason}${more}`);
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

  /** Leaves out what the api would refuse, by the api's own rules, and says so when the reason is a new one. */
  private valid(metrics: Metric[], timestamp: number, parts: PartsOfRun): Metric[] {
    if (metrics.length === 0) return metrics;
    const rejected: RejectedItem[] = [];
    // A run may have more readings than one upload: the spool cuts them into batches.
    for (let start = 0; start < metrics.length; start += MAX_ITEMS) {
      const part = decodeBatch(metrics.slice(start, start + MAX_ITEMS), timestamp);
      for (const item of part.rejected) rejected.push({ ...item, index: start + item.index });
    }
    const [first] = rejected;
    const metric = first && metrics[first.index];
    const refused = first ? `${metric?.metric_name}: ${first.field} ${first.reason}` : '';
    // By metric and field, as the reason quotes a value that may be another one each time.
    const kind = first ? `${metric?.metric_name} ${first.field}` : '';
    if (kind !== '' && kind !== this.refused) {
      this.log.warn(`${this.name}: ${rejected.length} readings cannot be sent, as ${refused}`);
    }
    this.refused = kind;
    if (!first) return metrics;
    for (const { index, field, reason } of rejected)
      parts.refuse(metrics[index]?.metric_name ?? '', `${field} ${reason}`);
    if (rejected.length === metrics.length) throw new Error(`no reading can be sent: ${refused}`);
    const bad = new Set(rejected.map(({ index }) => index));
    return metrics.filter((_metric, index) => !bad.has(index));
  }

  /** Of readings of one series at one time the last one counts: says so, when the series is a new one. */
  private tellOfDoubles(metrics: readonly Metric[]): void {
    const seen = new Set<string>();
    let first: Metric | undefined;
    for (const metric of metrics) {
      const known = seen.size;
      seen.add(`${metric.device_name}\n${metric.metric_name}\n${labelsKey(metric.labels ?? {})}`);
      if (seen.size === known) first ??= metric;
    }
    const doubled = first ? `${first.device_name} ${first.metric_name} ${JSON.stringify(first.labels ?? {})}` : '';
    if (doubled !== '' && doubled !== this.doubled) {
      this.log.warn(
        `${this.name}: of ${metrics.length} readings only ${seen.size} count, ` +
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

/** A reading as the wire carries it. */
export function toMetric(reading: Reading, deviceName: string, timestamp: number): Metric {
  const unit = reading.unit ?? metricDefinition(reading.metricName)?.unit;
  return {
    device_name: reading.deviceName ?? deviceName,
    metric_name: reading.metricName,
    value: reading.value,
    ...(unit !== undefined && { unit }),
    ...(reading.labels && { labels: reading.labels }),
    timestamp,
  };
}
