import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { countOf, eachSample, partOf, type Sample, type SampleBatch } from '@device-metrics/domain';

/** Samples of one request, or a part of them; events have numbers that grow by one. */
export type LiveEvent = readonly Sample[];

/** Samples of one event: few enough to be a small piece of work, and little for a reader to wait for. */
const PER_EVENT = 1_000;
/** At most so many samples are kept for readers that are behind or come back. */
const WINDOW = 50_000;
/** How long after the last listener left events are still kept for its return, ms. */
const RETURN_WITHIN = 60_000;

/**
 * What has just been stored, kept over a short window: listeners are told that there is something new, and take it when
 * they can. While nobody listens nothing is kept: samples that live longer than their request cost the ingest more than
 * its own work.
 */
@Injectable()
export class LiveSamples {
  /** Number of the newest event. */
  newest = 0;
  private readonly run = randomUUID().slice(0, 8);
  private readonly listeners = new Set<() => void>();
  /** Events; those that nobody has asked for are still as they came. */
  private window: SampleBatch[] = [];
  private samplesInWindow = 0;
  private keepUntil = 0;

  /** Whether somebody listens, or may come back to what was missed. */
  get isWanted(): boolean {
    return this.listeners.size > 0 || performance.now() <= this.keepUntil;
  }

  publish(batch: SampleBatch): void {
    if (!this.isWanted) {
      this.newest += 1;
      this.window = [];
      this.samplesInWindow = 0;
      return;
    }
    const count = countOf(batch);
    for (let from = 0; from < count; from += PER_EVENT) {
      this.newest += 1;
      this.window.push(partOf(batch, from, from + PER_EVENT));
    }
    this.samplesInWindow += count;
    while (this.samplesInWindow > WINDOW) this.samplesInWindow -= countOf(this.window.shift() ?? []);
    for (const listener of this.listeners) listener();
  }

  /** Undefined when the window no longer has it. */
  event(number: number): LiveEvent | undefined {
    const at = this.window.length - 1 - (this.newest - number);
    const event = this.window[at];
    return event && (this.window[at] = eachSample(event));
  }

  /** Calls `listener` when there are new events, until the function that comes back is called. */
  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      this.keepUntil = performance.now() + RETURN_WITHIN;
    };
  }

  /** Names an event to a client that comes back: the run of this server, and its number. */
  idOf(number: number): string {
    return `${this.run}-${number}`;
  }

  /** The number of an event by its id; undefined when this run of the server has never had it. */
  numberOf(id: string): number | undefined {
    const digits = new RegExp(`^${this.run}-(\\d{1,15})$`).exec(id)?.[1];
    const number = digits === undefined ? Infinity : Number(digits);
    return number <= this.newest ? number : undefined;
  }
}
