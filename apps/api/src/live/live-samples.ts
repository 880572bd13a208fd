import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import type { Sample } from '@device-metrics/domain';

/** Samples that were stored together. */
export interface LiveEvent {
  /** Names the event to a client that comes back: the run of this server, and a number that grows by one. */
  readonly id: string;
  readonly samples: readonly Sample[];
}

export type Listener = (event: LiveEvent) => void;

/** At most so many samples are kept for listeners that come back. */
const WINDOW = 50_000;
/** How long after the last listener left events are still kept for its return, ms. */
const RETURN_WITHIN = 60_000;

/**
 * What has just been stored: told to listeners at once, and kept over a short window for those that come back. While
 * nobody listens nothing is kept: samples that live longer than their request cost the ingest more than its own work.
 */
@Injectable()
export class LiveSamples {
  private readonly run = randomUUID().slice(0, 8);
  private readonly listeners = new Set<Listener>();
  private window: LiveEvent[] = [];
  private samplesInWindow = 0;
  private count = 0;
  private keepUntil = 0;

  publish(samples: readonly Sample[]): void {
    this.count += 1;
    if (this.listeners.size === 0 && performance.now() > this.keepUntil) {
      this.window = [];
      this.samplesInWindow = 0;
      return;
    }
    const event = { id: `${this.run}-${this.count}`, samples };
    this.window.push(event);
    this.samplesInWindow += samples.length;
    while (this.samplesInWindow > WINDOW) this.samplesInWindow -= this.window.shift()?.samples.length ?? 0;
    for (const listener of this.listeners) listener(event);
  }

  /** Calls `listener` for every event from now on, until the function that comes back is called. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      this.keepUntil = performance.now() + RETURN_WITHIN;
    };
  }

  /**
   * The events after the one of `id`; undefined when the window no longer has, or this server never had, the event that
   * follows it.
   */
  since(id: string): readonly LiveEvent[] | undefined {
    const number = new RegExp(`^${this.run}-(\\d{1,15})$`).exec(id)?.[1];
    const missed = this.count - Number(number);
    return missed >= 0 && missed <= this.window.length ? this.window.slice(this.window.length - missed) : undefined;
  }
}
