import { copyOfSummary, metricKind, type Series, type Slices, type Summary } from '@device-metrics/domain';
import { figuresOfSummary } from '@device-metrics/query';
import type { SeriesSummary, SummaryPart } from '@device-metrics/storage';
import { timeTexts } from '../answer/time-texts.js';
import { rowOf, type Grouping, type KeyMaker, type RowKey, type SeriesGroup, type SummaryGroup } from './grouping.js';
import type { SummaryRowDto } from './summary.dto.js';

/** Series that are added without a look at the clock. */
const WITHOUT_LOOK = 64;

/** Of a row that is made already. */
const NONE: SummaryGroup['numbers'] = [];

/**
 * Rows of series that are a row each: those of values, which most are, are made as their summaries come, and nothing else is made
 * or kept for each series.
 */
export class SeriesRows {
  readonly ofValues: SummaryGroup[] = [];
  /** Series whose numbers are others, and their summaries. */
  readonly others: SeriesGroup[] = [];
  readonly summaries: SeriesSummary[] = [];
  private readonly timeText = timeTexts();

  constructor(
    private readonly grouping: Grouping,
    private readonly keys: KeyMaker,
  ) {}

  /**
   * @param series among which those of the part are; in order.
   * @param chosen the ids of those that have a row; left out: all.
   */
  async add(series: readonly Series[], part: SummaryPart, slices: Slices, chosen?: ReadonlySet<number>): Promise<void> {
    for (let at = part.from; at < part.to; at += 1) {
      if (at % WITHOUT_LOOK === 0 && slices.isOver()) await slices.next();
      const one = series[at] as Series;
      const summary = !chosen || chosen.has(one.id) ? part.of(at) : undefined;
      if (!summary) continue;
      const key = this.keys.of(one);
      if (metricKind(one.metricName) === 'counter') {
        this.others.push({ key, series: [one] });
        this.summaries.push({ series: one, summary: copyOfSummary(summary) });
        continue;
      }
      this.ofValues.push({ key, row: this.rowOfValue(key, one.unit, summary), numbers: NONE });
    }
  }

  private rowOfValue(key: RowKey, unit: string | null, summary: Readonly<Summary>): SummaryRowDto {
    const { count, lastTime } = summary;
    const figures = figuresOfSummary(summary);
    return rowOf(key, { as: 'value', unit, series: 1, count, lastTime, figures }, this.grouping, this.timeText);
  }
}
