import type { Reading } from '@device-metrics/domain';
import type { Parts } from './source.js';

/** A part that could not be read, or a reading that cannot be sent. */
export interface RejectedPart {
  readonly part: string;
  readonly reason: string;
}

/** What a source said of parts in one run. What comes after the run has ended counts no more. */
export class PartsOfRun implements Parts {
  kept: Reading[] = [];
  readonly rejected: RejectedPart[] = [];
  readonly leftOut: RejectedPart[] = [];
  private ended = false;

  reject(part: string, reason: string): void {
    if (!this.ended) this.refuse(part, reason);
  }

  leaveOut(part: string, reason: string): void {
    if (!this.ended) this.leftOut.push({ part, reason });
  }

  keep(readings: readonly Reading[]): void {
    if (!this.ended) this.kept = this.kept.concat(readings);
  }

  /** Of the runner itself. */
  refuse(part: string, reason: string): void {
    this.rejected.push({ part, reason });
  }

  end(): void {
    this.ended = true;
  }
}

/** A part that has worked for so long is said again when it fails, ms. */
const FORGOTTEN_AFTER = 3_600_000;
const MOST_REMEMBERED = 10_000;

/** Says which parts could not be read: each once per new reason, however many runs it lasts. */
export class RejectedParts {
  /** When each was last rejected. */
  private readonly said = new Map<string, number>();

  /**
   * @param mostNamed of one reason; the others are counted.
   * @param now of a clock that nobody sets, ms.
   */
  constructor(
    private readonly mostNamed: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  tell(source: string, rejected: readonly RejectedPart[], log: { warn(message: string): void }): void {
    const fresh = new Map<string, string[]>();
    for (const { part, reason } of rejected) {
      if (this.isFresh(part, reason)) fresh.set(reason, [...(fresh.get(reason) ?? []), part]);
    }
    for (const [reason, parts] of fresh) {
      const more = parts.length > this.mostNamed ? ` and ${parts.length - this.mostNamed} more` : '';
      log.warn(`${source}: cannot read ${parts.slice(0, this.mostNamed).join(', ')}${more}: ${reason}`);
    }
  }

  private isFresh(part: string, reason: string): boolean {
    const key = `${part}\n${kindOf(reason)}`;
    const now = this.now();
    const before = this.said.get(key);
    // The oldest stand first.
    this.said.delete(key);
    this.said.set(key, now);
    for (const [oldest, at] of this.said) {
      if (this.said.size <= MOST_REMEMBERED && now - at < FORGOTTEN_AFTER) break;
      this.said.delete(oldest);
    }
    return before === undefined || now - before >= FORGOTTEN_AFTER;
  }
}

/** A reason without what may be another one each time: the texts and numbers that it quotes. */
const kindOf = (reason: string): string => reason.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/\d+(\.\d+)?/g, '0');
