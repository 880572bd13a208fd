import { reasonOf } from '@device-metrics/domain';
import type { AlertStore, StoredAlertMessage } from '@device-metrics/storage';
import { ChannelError } from '../notify/channel.js';

/** A message that cannot be delivered is given up after so long, ms; one that is refused, after so many attempts. */
const GIVEN_UP = 3 * 86_400_000;
const REFUSALS = 5;
const FIRST_WAIT = 5_000;
const LONGEST_WAIT = 10 * 60_000;
/** A receiver that asks for more time gets up to so much, ms. */
const LONGEST_ASKED = 60 * 60_000;

/**
 * Sends what waits in the store: in each channel one after the other, so that nobody hears of an end before the beginning.
 * A message is marked as sent after the receiver has taken it: a crash in between sends that one again.
 */
export class Outbox {
  private readonly busy = new Map<string, Promise<void>>();
  private stopped = false;

  constructor(
    private readonly store: AlertStore,
    private readonly send: (message: StoredAlertMessage) => Promise<void>,
    private readonly now: () => number,
    private readonly onFailure: (channel: string, reason: string) => void,
    private readonly random: () => number = Math.random,
  ) {}

  /** Starts to send what is due; channels that are busy already go on. */
  async run(): Promise<void> {
    for (const channel of await this.store.waitingChannels()) {
      if (this.stopped || this.busy.has(channel)) continue;
      const work = this.drain(channel).finally(() => this.busy.delete(channel));
      this.busy.set(channel, work);
    }
  }

  /** Resolves when what is being sent is sent. */
  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.allSettled(this.busy.values());
  }

  private async drain(channel: string): Promise<void> {
    while (!this.stopped) {
      const message = await this.store.next(channel);
      // A clock that was set back makes no message wait longer than it may.
      if (!message || (message.nextAt > this.now() && message.nextAt <= this.now() + LONGEST_ASKED)) return;
      if (!(await this.attempt(message))) return;
    }
  }

  private async attempt(message: StoredAlertMessage): Promise<boolean> {
    try {
      await this.send(message);
    } catch (error) {
      const reason = reasonOf(error);
      this.onFailure(message.channel, reason);
      await this.store.notSent(message.id, reason, this.nextTry(message, error));
      return false;
    }
    await this.store.sent(message.id, this.now());
    return true;
  }

  /** When to try again; undefined: never. */
  private nextTry({ attempts, createdAt }: StoredAlertMessage, error: unknown): number | undefined {
    const now = this.now();
    const { permanent = false, retryAfter = 0 } = error instanceof ChannelError ? error : {};
    if (permanent && attempts + 1 >= REFUSALS) return undefined;
    if (now - createdAt > GIVEN_UP) return undefined;
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(attempts, 20)) * (0.5 + this.random() / 2);
    return now + Math.max(wait, Math.min(LONGEST_ASKED, retryAfter * 1000));
  }
}
