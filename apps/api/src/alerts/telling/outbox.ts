import { reasonOf } from '@device-metrics/domain';
import type { AlertStore, StoredAlertMessage } from '@device-metrics/storage';
import { ChannelError } from '../notify/channel.js';
import { channelOf, queueOf, receiverOf } from './queues.js';
import type { Notice } from './tell.js';

/** A message that cannot be delivered is given up after so long, ms; one that is refused, after so many attempts. */
const GIVEN_UP = 3 * 86_400_000;
const REFUSALS = 5;
/** So many wait in a channel at the most; beyond, the oldest are given up: the newest say how things are. */
const MOST_WAITING = 1_000;
const FIRST_WAIT = 5_000;
const LONGEST_WAIT = 10 * 60_000;
/** A receiver that asks for more time gets up to so much, ms. */
const LONGEST_ASKED = 60 * 60_000;

/** What became of messages of a channel: each attempt that was not taken is `failed`. */
export type Outcome = 'sent' | 'failed' | 'given_up';

/** Who hears of what becomes of messages, by their queues. */
export interface OutboxListener {
  onFailure(queue: string, reason: string): void;
  onOutcome(queue: string, outcome: Outcome, messages: number): void;
}

/**
 * Sends what waits in the store: in each channel one after the other, so that nobody hears of an end before the beginning.
 * A message is marked as sent after the receiver has taken it: a crash in between sends that one again. A receiver for whom alone
 * it was not taken gets it, and all that come after it, by a queue of its own, until that is empty.
 */
export class Outbox {
  private readonly busy = new Map<string, Promise<void>>();
  private stopped = false;

  constructor(
    private readonly store: AlertStore,
    private readonly send: (message: StoredAlertMessage, without: readonly string[]) => Promise<void>,
    private readonly now: () => number,
    private readonly listener: OutboxListener,
    private readonly mostWaiting = MOST_WAITING,
    /** Of several processes one sends; who slept meanwhile is not that one any more. */
    private readonly isMine: () => Promise<boolean> = () => Promise.resolve(true),
    private readonly random: () => number = Math.random,
  ) {}

  /** Starts to send what is due; channels that are busy already go on. */
  async run(): Promise<void> {
    for (const [channel, waiting] of await this.store.waiting()) {
      if (waiting > this.mostWaiting) await this.giveUpOldest(channel);
      if (this.stopped || this.busy.has(channel)) continue;
      const work = this.drain(channel)
        // What cannot be written down now waits as it did.
        .catch((error: unknown) => this.listener.onFailure(channel, reasonOf(error)))
        .finally(() => this.busy.delete(channel));
      this.busy.set(channel, work);
    }
  }

  /** Resolves when what is being sent is sent. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.busy.values());
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.settled();
  }

  private async giveUpOldest(channel: string): Promise<void> {
    const reason = `given up: more than ${this.mostWaiting} messages waited for the channel`;
    const messages = await this.store.giveUp(channel, this.mostWaiting, reason);
    if (messages > 0) this.listener.onOutcome(channel, 'given_up', messages);
  }

  private async drain(channel: string): Promise<void> {
    while (!this.stopped) {
      const message = await this.store.next(channel);
      // A clock that was set back makes no message wait longer than it may.
      if (!message || (message.nextAt > this.now() && message.nextAt <= this.now() + LONGEST_ASKED)) return;
      if (!(await this.isMine()) || !(await this.attempt(message))) return;
    }
  }

  private async attempt(message: StoredAlertMessage): Promise<boolean> {
    const behind = await this.behindIn(message.channel);
    await this.putOff(message, behind);
    try {
      await this.send(message, behind);
    } catch (error) {
      const refused = error instanceof ChannelError ? error.refused : [];
      if (refused.length === 0) {
        await this.noteFailure(message, error);
        return false;
      }
      const receivers = refused.map(({ receiver }) => receiver);
      await this.putOff(message, receivers);
      for (const { receiver, reason } of refused) {
        this.listener.onFailure(queueOf(message.channel, receiver), reason);
        this.listener.onOutcome(queueOf(message.channel, receiver), 'failed', 1);
      }
    }
    await this.store.sent(message.id, this.now());
    this.listener.onOutcome(message.channel, 'sent', 1);
    return true;
  }

  private async noteFailure(message: StoredAlertMessage, error: unknown): Promise<void> {
    const reason = reasonOf(error);
    const next = this.nextTry(message, error);
    this.listener.onFailure(message.channel, reason);
    await this.store.notSent(message.id, reason, next);
    this.listener.onOutcome(message.channel, 'failed', 1);
    if (next === undefined) this.listener.onOutcome(message.channel, 'given_up', 1);
  }

  /** The receivers of a channel that wait for older messages. */
  private async behindIn(channel: string): Promise<string[]> {
    if (receiverOf(channel) !== undefined) return [];
    const queues = [...(await this.store.waiting()).keys()].filter((queue) => channelOf(queue) === channel);
    return queues.flatMap((queue) => receiverOf(queue) ?? []);
  }

  /** Lines a message up for some of its receivers; once, however often it is tried. */
  private async putOff({ channel, key, body }: StoredAlertMessage, receivers: readonly string[]): Promise<void> {
    const messages = receivers.map((receiver) => {
      const notice = { ...(body as Notice), only: { receiver, key } };
      return { key: `${key} ${receiver}`, channel: queueOf(channel, receiver), body: notice };
    });
    await this.store.commit({ at: this.now(), states: [], gone: [], changes: [], messages });
  }

  /** When to try again; undefined: never. */
  private nextTry({ attempts, createdAt }: StoredAlertMessage, error: unknown): number | undefined {
    const now = this.now();
    const { permanent = false, retryAfter = 0 } = error instanceof ChannelError ? error : {};
    if (permanent && attempts + 1 >= REFUSALS) return undefined;
    if (now - createdAt > GIVEN_UP) return undefined;
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(attempts, 20)) * (0.5 + this.random() / 2);
    return Math.round(now + Math.max(wait, Math.min(LONGEST_ASKED, retryAfter * 1000)));
  }
}
