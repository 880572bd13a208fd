import type { SourceState } from '../upload/spool.js';
import type { Outcome } from './run-source.js';

/** Of one source; the others are counted. */
const MOST_KEPT = 50;

/** Tells when a source fares otherwise than before, so that only that is written. */
export class SourceStates {
  private readonly last = new Map<string, SourceState>();

  /**
   * The new state of a source; undefined where its run ended like the one before.
   *
   * @param clean takes secrets out of a text.
   */
  change(name: string, outcome: Outcome, now: number, clean: (text: string) => string): SourceState | undefined {
    const before = this.last.get(name);
    const state: SourceState = {
      name,
      ended: outcome.ended,
      since: before?.ended === outcome.ended ? before.since : now,
      reason: clean(outcome.reason),
      rejected: outcome.rejected
        .slice(0, MOST_KEPT)
        .map(({ part, reason }) => ({ part: clean(part), reason: clean(reason) })),
      rejectedCount: outcome.rejected.length,
    };
    if (before && kindOf(before) === kindOf(state)) return undefined;
    this.last.set(name, state);
    return state;
  }

  /** The source has ended. */
  forget(name: string): void {
    this.last.delete(name);
  }
}

/** What a person would call another state: not that a value or a time in a reason is another one. */
const kindOf = ({ ended, reason, rejected, rejectedCount }: SourceState): string =>
  [ended, reason.replace(/\d+(\.\d+)?/g, '0'), rejectedCount, ...rejected.map(({ part }) => part)].join('\n');
