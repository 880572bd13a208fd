import { inSlices, type Series, type Slices, type Summary, type TimeRange } from '@device-metrics/domain';
import {
  figuresOfSummary,
  numbersOf,
  thingsOf,
  type NumbersBasis,
  type QueryLimit,
  type Thing,
  type ThingNumbers,
} from '@device-metrics/query';
import type { SeriesSummary, Store } from '@device-metrics/storage';
import { timeTexts } from '../answer/time-texts.js';
import {
  FiguresTogether,
  inOrderOfKeys,
  rowOf,
  rowsOf,
  type Grouping,
  type RowKey,
  type SeriesGroup,
  type SummaryGroup,
} from './grouping.js';

/**
 * Rows of groups that have series of very many devices: values, which most series are, are added up as they come, and nothing is
 * kept of each series. What other numbers are made of is kept until all is there.
 */
export class FoldedRows {
  private readonly groups = new Map<string, FoldedGroup>();
  private readonly others: Thing[] = [];
  private readonly summaries: SeriesSummary[] = [];

  constructor(private readonly grouping: Grouping) {}

  /**
   * @param groups of series of devices that have not come before.
   * @param summaries of the series over the range, and perhaps of others.
   */
  async add(groups: readonly SeriesGroup[], summaries: readonly SeriesSummary[], slices: Slices): Promise<void> {
    const byId = new Map<number, SeriesSummary>();
    await inSlices(summaries, (one) => byId.set(one.series.id, one), slices);
    for (const { key, series } of groups) {
      const text = key.join('\n');
      let group = this.groups.get(text);
      if (!group) this.groups.set(text, (group = new FoldedGroup(key)));
      for (const thing of await thingsOf(series)) {
        const found = byId.get((thing.series[0] as Series).id);
        if (thing.as === 'value') {
          if (found) group.addValue(thing, found.summary);
          continue;
        }
        group.others.push(thing);
        this.others.push(thing);
        for (const { id } of thing.series) {
          const summary = byId.get(id);
          if (summary) this.summaries.push(summary);
        }
      }
      if (slices.isOver()) await slices.next();
    }
  }

  /** All rows, in the order of their keys. */
  async finish(
    store: Store,
    range: TimeRange,
    limit: QueryLimit,
  ): Promise<{ groups: SummaryGroup[]; basis: NumbersBasis }> {
    const { numbers, basis } = await numbersOf(store, this.others, this.summaries, range, limit);
    const byThing = new Map<Thing, ThingNumbers>();
    await inSlices(numbers, (one) => byThing.set(one.thing, one));
    const timeText = timeTexts();
    const groups: SummaryGroup[] = [];
    await inSlices(inOrderOfKeys([...this.groups.values()]), (group) => {
      const rows = rowsOf(
        group.key,
        group.others.flatMap((thing) => byThing.get(thing) ?? []),
        this.grouping,
        timeText,
      );
      const ofValues = group.valueRow(this.grouping, timeText);
      if (ofValues) rows.push(ofValues);
      for (const row of rows.sort((a, b) => (a.row.as < b.row.as ? -1 : 1))) groups.push(row);
    });
    return { groups, basis };
  }
}

class FoldedGroup {
  /** Things that are no values. */
  readonly others: Thing[] = [];
  private readonly figures = new FiguresTogether();
  private readonly devices: string[] = [];
  private unit: string | null = null;
  private series = 0;
  private count = 0;
  private lastTime = -Infinity;

  constructor(readonly key: RowKey) {}

  addValue({ series, unit }: Thing, summary: Readonly<Summary>): void {
    const { count, lastTime } = summary;
    const { deviceName } = series[0] as Series;
    if (this.devices.at(-1) !== deviceName) this.devices.push(deviceName);
    this.figures.add(figuresOfSummary(summary), lastTime);
    this.unit = unit;
    this.series += series.length;
    this.count += count;
    if (lastTime > this.lastTime) this.lastTime = lastTime;
  }

  /** The row of the values; undefined where there is none. */
  valueRow(grouping: Grouping, timeText: (time: number) => string): SummaryGroup | undefined {
    const { key, devices, unit, series, count, lastTime } = this;
    if (series === 0) return undefined;
    const figures = this.figures.figures();
    const row = rowOf(key, { as: 'value', unit, series, count, lastTime, figures }, grouping, timeText);
    return { key, row, numbers: [], devices };
  }
}
