import type { Refusal } from '@device-metrics/domain';

/** How many of the reasons are said. */
const MOST_REASONS = 5;

/** Why parts of a request were refused, one beside the other: reasons with how often each came. */
export class Refusals {
  /** How many samples or points they are. */
  count = 0;
  private readonly reasons = new Map<string, number>();

  add(reason: string, count = 1): void {
    this.count += count;
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + count);
  }

  /** What the gate refused. */
  addAll(refused: readonly Refusal[]): void {
    for (const { field, reason } of refused) this.add(`${field} ${reason}`);
  }

  /** One line: what was refused, and what became of the rest. */
  text(what: string, stored: number): string {
    const said = [...this.reasons].slice(0, MOST_REASONS).map(([reason, count]) => `${count}: ${reason}`);
    const more = this.reasons.size - said.length;
    const rest = stored > 0 ? ', and the others are stored' : '';
    return (
      `${this.count} of ${this.count + stored} ${what} were refused${rest}. ` +
      said.join('; ') +
      (more > 0 ? `; and ${more} more reasons` : '')
    );
  }
}
