import { MAX_AHEAD, reasonOf, showDuration } from '@device-metrics/domain';
import type { Answer } from './api-client.js';
import { unpack, type Batch, type WireSample, type Spool } from './spool.js';
import { backoff, verdict } from './verdict.js';

/** `away`: no answer, or one that says "later". `held`: an answer that needs a person, as a wrong token. */
export type UploadState = 'sending' | 'away' | 'held';

export interface UploaderOptions {
  /** Batches of the backlog that may be sent in a second; live batches have no limit. */
  readonly backlogPerSecond: number;
  /** How long a request in flight may go on after `stop`, ms. */
  readonly stopWithin: number;
  /** From 0 to 1. */
  readonly random?: () => number;
  /** Milliseconds of a clock that nobody sets. */
  readonly elapsed?: () => number;
}

/** How long what an answer told of the api's clock is believed, ms. */
const CLOCK_HOLDS = 60_000;

interface Log {
  log(message: string): void;
  warn(message: string): void;
}

/**
 * Empties the spool into the api, one request at a time. What came since the api was last found away is live and goes
 * first; the rest is backlog, oldest first, at a limited rate.
 */
export class Uploader {
  /** Requests that did not end in an acknowledgement since the start. */
  failures = 0;
  /** Batches that the api has acknowledged since the start. */
  acknowledged = 0;
  state: UploadState = 'sending';

  /** Batches up to this sequence are backlog. */
  private backlogEnd: number;
  private failuresInRow = 0;
  private failingSince = 0;
  private nextBacklog = 0;
  /** The time of the api by its last answer that told one, and when that came, by `elapsed`. */
  private apiClock: { readonly time: number; readonly at: number } | undefined;
  private saidEarly = false;
  /** Samples that went to quarantine since the log last said so. */
  private unsaid = 0;
  private nextSaid = -Infinity;
  private stopping = false;
  private readonly abort = new AbortController();
  private readonly elapsed: () => number;
  private wakeUp: () => void = () => undefined;
  private running: Promise<void> | undefined;

  /** @param send must not reject. */
  constructor(
    private readonly spool: Spool,
    private readonly send: (payload: Buffer, signal: AbortSignal) => Promise<Answer>,
    private readonly options: UploaderOptions,
    private readonly log: Log,
  ) {
    this.elapsed = options.elapsed ?? ((): number => performance.now());
    this.backlogEnd = spool.lastSequence;
  }

  start(): void {
    this.running ??= this.run();
  }

  /** Says that the spool may have something to send. */
  wake(): void {
    if (this.failuresInRow === 0) this.wakeUp();
  }

  /** Sends nothing more; resolves when the request in flight has ended, or was given up after `stopWithin`. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeUp();
    const timer = setTimeout(() => this.abort.abort(), this.options.stopWithin);
    await this.running;
    clearTimeout(timer);
  }

  private async run(): Promise<void> {
    let reported = '';
    while (!this.stopping) {
      try {
        const pause = await this.step();
        reported = '';
        if (pause > 0) await this.sleep(pause);
      } catch (error) {
        // The spool itself fails, as on a broken disk: the samples stay where they are.
        const reason = reasonOf(error);
        if (reason !== reported) this.log.warn(`The spool cannot be read or written: ${reason}`);
        reported = reason;
        await this.sleep(1_000);
      }
    }
  }

  /** Sends one batch, if one may go; returns how long to wait before the next step, ms. */
  private async step(): Promise<number> {
    const live = this.spool.nextAfter(this.backlogEnd, this.latestDue);
    if (live) return this.upload(live);
    const wait = this.nextBacklog - this.elapsed();
    if (wait > 0) return wait;
    const backlog = this.spool.nextOfAll(this.latestDue);
    if (!backlog) return 60_000;
    this.nextBacklog = this.elapsed() + 1_000 / this.options.backlogPerSecond;
    return this.upload(backlog);
  }

  private async upload(batch: Batch): Promise<number> {
    const answer = wholeAnswer(await this.send(batch.payload, this.abort.signal), batch.samples);
    if (this.abort.signal.aborted) return 0;
    if (answer.time !== undefined) this.apiClock = { time: answer.time, at: this.elapsed() };
    const decision = verdict(answer.status);
    if (decision === 'delete') {
      this.acknowledge(batch, answer);
      this.acknowledged += 1;
      return 0;
    }
    this.failures += 1;
    if (decision === 'split') {
      this.answered();
      if (!this.waitUntilDue(batch)) this.split(batch, answer.reason);
      return 0;
    }
    if (decision === 'retry') this.spool.failed(batch.sequence);
    this.backlogEnd = this.spool.lastSequence;
    this.fail(decision === 'retry' ? 'away' : 'held', answer.reason);
    const pause = backoff(this.failuresInRow, answer.retryAfter, (this.options.random ?? Math.random)());
    this.failuresInRow += 1;
    return pause;
  }

  private acknowledge(batch: Batch, answer: Answer): void {
    if (answer.rejected.length === 0) {
      this.spool.acknowledge(batch.sequence);
    } else {
      const samples = unpack(batch.payload);
      const refused = new Map<string, WireSample[]>();
      const early: WireSample[] = [];
      for (const { index, field, reason } of answer.rejected) {
        const sample = samples[index];
        if (!sample) continue;
        if (sample.timestamp > this.latestDue) early.push(sample);
        else refused.set(`${field} ${reason}`.trim(), [...(refused.get(`${field} ${reason}`.trim()) ?? []), sample]);
      }
      this.spool.acknowledge(batch.sequence, refused, early);
      if (early.length > 0) this.sayEarly();
      for (const [reason, { length }] of refused) this.sayQuarantined(length, reason);
    }
    this.answered();
  }

  private split(batch: Batch, reason: string): void {
    if (batch.samples > 1) {
      try {
        this.spool.split(batch.sequence);
        return;
      } catch (error) {
        reason = `the payload is damaged: ${reasonOf(error)}`;
      }
    }
    this.spool.quarantine(batch.sequence, reason);
    this.sayQuarantined(batch.samples, reason);
  }

  /**
   * The latest timestamp that the api takes, as far as is known. Samples beyond it wait: this PC's clock was ahead when they
   * were read. What an answer told of the api's clock holds for a minute, as this PC may have slept since.
   */
  private get latestDue(): number {
    const age = this.apiClock ? this.elapsed() - this.apiClock.at : Infinity;
    return this.apiClock && age < CLOCK_HOLDS ? this.apiClock.time + age + MAX_AHEAD : Infinity;
  }

  private waitUntilDue(batch: Batch): boolean {
    if (batch.newest <= this.latestDue) return false;
    this.sayEarly();
    return true;
  }

  private answered(): void {
    if (this.state !== 'sending') {
      const { pendingBatches, pendingSamples } = this.spool.totals();
      const since = showDuration(this.elapsed() - this.failingSince);
      this.log.log(
        `The api answers again after ${since}; to send: ${pendingBatches} batches, ${pendingSamples} samples`,
      );
    }
    this.state = 'sending';
    this.failuresInRow = 0;
  }

  private fail(state: 'away' | 'held', reason: string): void {
    if (state === this.state) return;
    if (this.state === 'sending') this.failingSince = this.elapsed();
    this.state = state;
    this.log.warn(
      state === 'away'
        ? `The api does not take samples (${reason}); they wait in the spool and are tried again`
        : `The api refuses this collector (${reason}); everything waits in the spool until that is put right`,
    );
  }

  /** At most once a minute: an api may refuse every sample, each for a reason of its own. */
  private sayQuarantined(samples: number, reason: string): void {
    this.unsaid += samples;
    if (this.elapsed() < this.nextSaid) return;
    const count = `${this.unsaid} ${this.unsaid === 1 ? 'sample' : 'samples'}`;
    this.log.warn(`The api refused ${count}, the last: ${reason}; kept in quarantine`);
    this.unsaid = 0;
    this.nextSaid = this.elapsed() + 60_000;
  }

  private sayEarly(): void {
    if (this.saidEarly) return;
    this.saidEarly = true;
    this.log.warn("Samples are ahead of the api's clock; they wait until they are due. Is the clock of this PC right?");
  }

  private async sleep(duration: number): Promise<void> {
    if (this.stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, duration);
      this.wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.wakeUp = () => undefined;
  }
}

/** A 2xx acknowledges a batch only where it tells of each of its samples once: what it leaves out may be nowhere. */
function wholeAnswer(answer: Answer, samples: number): Answer {
  const { status, accepted, rejected } = answer;
  const indexes = new Set(rejected.map(({ index }) => index).filter((index) => index >= 0 && index < samples));
  const isWhole = indexes.size === rejected.length && accepted + rejected.length === samples;
  if (verdict(status) !== 'delete' || isWhole) return answer;
  const told = `${accepted} accepted and ${rejected.length} rejected of ${samples} samples`;
  return { ...answer, status: undefined, reason: `${status}, but it tells of ${told}` };
}
