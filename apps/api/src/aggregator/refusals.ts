import { quote, type Refusal } from '@device-metrics/domain';

/** How many of the reasons are said. */
const MOST_REASONS = 5;

/** Why parts of a request were refused, one beside the other: reasons with how often each came. */
export class Refusals {
  /** How many samples or points they are. */
  count = 0;
  private readonly reasons = new Map<string, { count: number; readonly whose: string }>();

  /** @param whose what the first one is of, where the reason does not say it. */
  add(reason: string, count = 1, whose?: () => string): void {
    this.count += count;
    const known = this.reasons.get(reason);
    if (known) known.count += count;
    else this.reasons.set(reason, { count, whose: whose && this.reasons.size < MOST_REASONS ? whose() : '' });
  }

  /** What the gate refused. */
  addAll(refused: readonly Refusal[]): void {
    for (const { field, reason, named } of refused) {
      const whose = named && ((): string => `${quote(named.metricName)} of ${quote(named.deviceName)}`);
      this.add(`${field} ${reason}`, 1, whose);
    }
  }

  /** One line: what was refused, and what became of the rest. */
  text(what: string, stored: number): string {
    const said = [...this.reasons].slice(0, MOST_REASONS).map(([reason, { count, whose }]) => {
      const first = whose === '' ? '' : `, ${count > 1 ? 'first in' : 'in'} ${whose}`;
      return `${count}: ${reason}${first}`;
    });
    const more = this.reasons.size - said.length;
    const rest = stored > 0 ? ', and the others are stored' : '';
    return (
      `${this.count} of ${this.count + stored} ${what} were refused${rest}. ` +
      said.join('; ') +
      (more > 0 ? `; and ${more} more reasons` : '')
    );
  }
}
