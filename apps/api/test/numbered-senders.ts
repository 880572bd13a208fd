import { expect } from '@jest/globals';
import type { Answer, Server } from './server.js';

const BATCH = 20;
const GIVES_UP = 5_000;
/** Between two requests of one sender, and two looks, ms: kills come at any moment of them, also where there are not as many as can be. */
const PAUSE = process.env['DEVICE_METRICS_LONG'] ? 0 : 50;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Senders that number their samples, each for a device of its own, and readers that look for what was acknowledged. They take
 * what may be there at the time: whatever is not answered is sent again, by anybody, as a collector would.
 */
export class NumberedSenders {
  private readonly start = Math.floor(Date.now() / 1000) * 1000 - 5 * 86_400_000;
  /** How many samples of each device have been acknowledged. */
  readonly acknowledged: number[];
  private readonly missing: string[] = [];
  private ended = false;

  /** @param some gives the process that takes the next request. */
  constructor(
    private readonly some: () => Server,
    senders: number,
  ) {
    this.acknowledged = Array.from({ length: senders }, () => 0);
  }

  /** Sends and reads while `work` is done, and until everything has come back by itself after it. */
  async during(work: () => Promise<void>): Promise<void> {
    const worked = work().then(() => this.goesOn());
    const ended = worked.finally(() => (this.ended = true));
    await Promise.all([ended, this.look(), ...this.acknowledged.map((_, sender) => this.send(sender))]);
    expect(this.missing).toEqual([]);
  }

  /** Resolves once each sender has got something through. */
  async goesOn(): Promise<void> {
    const before = [...this.acknowledged];
    while (this.acknowledged.some((count, sender) => count < (before[sender] as number) + 5 * BATCH)) await pause(50);
  }

  /** Each acknowledged sample is there once, with its value. */
  async expectAll(): Promise<void> {
    for (const [sender, least] of this.acknowledged.entries()) {
      const numbers: number[] = [];
      for (let cursor = ''; ;) {
        const path = `/api/v1/reports/metrics/pc-${sender}?start_time=${this.start}&end_time=${this.start + 1e9}&limit=10000${cursor}`;
        const { status, body } = await this.answered(path);
        expect({ status, detail: body.detail }).toEqual({ status: 200, detail: undefined });
        for (const [, value] of body.series[0]?.samples ?? []) numbers.push(value);
        if (!body.next_cursor) break;
        cursor = `&cursor=${body.next_cursor}`;
      }
      // A batch whose acknowledgement was lost may be there too, as a whole.
      expect(numbers.length).toBeGreaterThanOrEqual(least);
      expect(numbers).toEqual(Array.from(numbers, (_, at) => at));
    }
  }

  /** A process that still reads what it missed says 503, and is asked again. */
  private async answered(path: string): Promise<Answer> {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await this.some().get(path);
      if (answer.status !== 503 || attempt === 100) return answer;
      await pause(100);
    }
  }

  private async send(sender: number): Promise<void> {
    while (!this.ended) {
      const first = this.acknowledged[sender] as number;
      const samples = Array.from({ length: BATCH }, (_, at) => [this.start + (first + at) * 1000, first + at]);
      const body = { metrics: [{ device_name: `pc-${sender}`, metric_name: 'own.number', samples }] };
      const answer = await within(this.some().post('/api/v1/aggregator/metrics/batch/', body));
      if (answer?.status === 200) this.acknowledged[sender] = first + BATCH;
      await pause(answer?.status === 200 ? PAUSE : 50);
    }
  }

  /** Whatever is acknowledged is in every report that is asked for afterwards. */
  private async look(): Promise<void> {
    for (let turn = 0; !this.ended; turn += 1) {
      const sender = turn % this.acknowledged.length;
      const least = this.acknowledged[sender] as number;
      const from = this.start + Math.max(0, least - 10) * 1000;
      const path = `/api/v1/reports/metrics/pc-${sender}?start_time=${from}&end_time=${this.start + least * 1000}`;
      const answer = await within(this.some().get(path));
      if (answer?.status === 200 && least > 0) {
        const found = answer.body.series[0]?.samples.length;
        if (found !== 10) this.missing.push(`${found} of the 10 samples before ${least} of pc-${sender}`);
        await pause(PAUSE);
      } else await pause(50);
    }
  }
}

/** An answer, or undefined where there is none, or not in time. */
export function within(answer: Promise<Answer>, ms = GIVES_UP): Promise<Answer | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, ms, undefined)));
  return Promise.race([answer.catch(() => undefined), late]).finally(() => clearTimeout(timer));
}
