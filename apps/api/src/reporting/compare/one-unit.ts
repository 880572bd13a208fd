import {
  conversionBetween,
  convert,
  quote,
  type Aggregation,
  type Conversion,
  type Series,
} from '@device-metrics/domain';
import type { SeriesSummary } from '@device-metrics/storage';
import { invalidInput } from '../../http/problem.js';

/** What aggregations make of a unit: nothing of a count, and of what adds up or grows no other zero point. */
const WITHOUT_OFFSET: readonly Aggregation['kind'][] = ['sum', 'increase', 'rate'];

/** Makes one unit of those that series have, since numbers of different units cannot be compared. */
export class OneUnit {
  /** UCUM; null while nobody has said. */
  readonly name: string | null;

  /** @throws Problem when units cannot be converted into each other. */
  constructor(
    summaries: readonly SeriesSummary[],
    private readonly aggregation: Aggregation,
  ) {
    const units = summaries.flatMap(({ series }) => series.unit ?? []);
    const counts = new Map<string, number>();
    for (const unit of units) counts.set(unit, (counts.get(unit) ?? 0) + 1);
    this.name = [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0]?.[0] ?? null;
    const other = [...counts.keys()].find((unit) => this.conversionOf(unit) === undefined);
    if (other !== undefined && aggregation.kind !== 'count') {
      const reason = `has series in ${quote(this.name)} and in ${quote(other)}, which cannot be compared: choose by device_name, label or tag`;
      throw invalidInput([{ field: 'metric_name', reason }]);
    }
  }

  /** A number of a series, in the one unit. */
  convert({ unit }: Series, value: number | null): number | null {
    const conversion = unit === null || unit === this.name ? undefined : this.conversionOf(unit);
    if (!conversion || value === null || this.aggregation.kind === 'count') return value;
    return convert(value, conversion);
  }

  /** The mean of the samples of a series, in the one unit; null where that cannot be. */
  mean({ unit }: Series, value: number): number | null {
    const conversion = unit === null ? undefined : conversionBetween(unit, this.name ?? unit);
    return conversion ? convert(value, conversion) : unit === null ? value : null;
  }

  private conversionOf(unit: string): Conversion | undefined {
    const conversion = conversionBetween(unit, this.name ?? unit);
    if (!conversion || !WITHOUT_OFFSET.includes(this.aggregation.kind)) return conversion;
    if (this.aggregation.kind === 'sum' && conversion.offset !== 0) return undefined;
    return { ...conversion, offset: 0 };
  }
}
