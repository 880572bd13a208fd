import { MAX_AHEAD } from '@device-metrics/contract/rules';
import { showDuration } from '../quantities.js';
import type { Answer } from './api-client.js';
import { unpack, type Batch, type Metric, type Spool } from './spool.js';
import { backoff, verdict } from './verdict.js';

/** `away`: no answer, or one that says "later". `held`: an answer that needs a person, as a wrong token. */
export type UploadState = 'sending' | 'away' | 'held';

export interface UploaderOptions {
  /** Batches of the backlog that may be sent in a second; live batches have no limit. */
  readonly backlogPerSecond: number;
  /** How long a request in flight may go on after `stop`, ms. */
  readonly stopWithin: number;
  readonly now?: () => number;
  readonly random?: () => number;
}

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
  state: UploadState = 'sending';

  /** Batches up to this sequence are backlog. */
  private backlogEnd: number;
  private failuresInRow = 0;
  private failingSince = 0;
  private nextBacklog = 0;
  /** How far the api's clock is ahead of ours, ms. */
  private skew = 0;
  private early = false;
  private stopping = false;
  private readonly abort = new AbortController();
  private readonly now: () => number;
  private wakeUp: () => void = () => undefined;
  private running: Promise<void> | undefined;

  /** @param send must not reject. */
  constructor(
    private readonly spool: Spool,
    private readonly send: (payload: Buffer, signal: AbortSignal) => Promise<Answer>,
    private readonly options: UploaderOptions,
    private readonly log: Log,
  ) {
    this.now = options.now ?? Date.now;
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
        const reason = error instanceof Error ? error.message : String(error);
        if (reason !== reported) this.log.warn(`The spool cannot be read or written: ${reason}`);
        reported = reason;
        await this.sleep(1_000);
      }
    }
  }

  /** Sends one batch, if one may go; returns how long to wait before the next step, ms. */
  private async step(): Promise<number> {
    const until = this.now() + this.skew + MAX_AHEAD;
    const live = this.spool.nextAfter(this.backlogEnd, until);
    if (live) return this.upload(live);
    const wait = this.nextBacklog - performance.now();
    if (wait > 0) return wait;
    const backlog = this.spool.nextOfAll(until);
    if (!backlog) return 60_000;
    this.nextBacklog = performance.now() + 1_000 / this.options.backlogPerSecond;
    return this.upload(backlog);
  }

  private async upload(batch: Batch): Promise<number> {
    const answer = await this.send(batch.payload, this.abort.signal);
    if (this.abort.signal.aborted) return 0;
    if (answer.time !== undefined) this.skew = answer.time - this.now();
    const decision = verdict(answer.status);
    if (decision === 'delete') {
      this.acknowledge(batch, answer);
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
      const metrics = unpack(batch.payload);
      const refused = new Map<string, Metric[]>();
      const early: Metric[] = [];
      for (const { index, field, reason } of answer.rejected) {
        const metric = metrics[index];
        if (!metric) continue;
        if (this.isEarly(metric.timestamp)) early.push(metric);
        else refused.set(`${field} ${reason}`.trim(), [...(refused.get(`${field} ${reason}`.trim()) ?? []), metric]);
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
        reason = `the payload is damaged: ${error instanceof Error ? error.message : String(error)}`;
      }
    }
    this.spool.quarantine(batch.sequence, reason);
    this.sayQuarantined(batch.samples, reason);
  }

  /** Whether the api refuses a time because its clock is behind: such samples wait until it accepts them. */
  private isEarly(timestamp: number): boolean {
    return timestamp > this.now() + this.skew + MAX_AHEAD;
  }

  private waitUntilDue(batch: Batch): boolean {
    if (!this.isEarly(batch.newest)) return false;
    this.sayEarly();
    return true;
  }

  private answered(): void {
    if (this.state !== 'sending') {
      const { pendingBatches, pendingSamples } = this.spool.totals();
      const since = showDuration(performance.now() - this.failingSince);
      this.log.log(
        `The api answers again after ${since}; to send: ${pendingBatches} batches, ${pendingSamples} samples`,
      );
    }
    this.state = 'sending';
    this.failuresInRow = 0;
  }

  private fail(state: 'away' | 'held', reason: string): void {
    if (state === this.state) return;
    if (this.state === 'sending') this.failingSince = performance.now();
    this.state = state;
    this.log.warn(
      state === 'away'
        ? `The api does not take samples (${reason}); they wait in the spool and are tried again`
        : `The api refuses this collector (${reason}); everything waits in the spool until that is put right`,
    );
  }

  private sayQuarantined(samples: number, reason: string): void {
    this.log.warn(`The api refused ${samples} ${samples === 1 ? 'sample' : 'samples'}: ${reason}; kept in quarantine`);
  }

  private sayEarly(): void {
    if (this.early) return;
    this.early = true;
    const ahead = showDuration(Math.abs(this.skew));
    this.log.warn(
      `Samples are ahead of the api's clock (this PC is ${ahead} ahead of it); they wait until they are due`,
    );
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
