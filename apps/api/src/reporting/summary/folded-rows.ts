import {
  inSlices,
  orderInSlices,
  type Series,
  type Slices,
  type Summary,
  type TimeRange,
} from '@device-metrics/domain';
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

  constructor(private readonly grouping: Grouping) {}

  /**
   * @param groups of series of devices that have not come before.
   * @param summaries of the series over the range, and perhaps of others.
   */
  async add(groups: readonly SeriesGroup[], summaries: readonly SeriesSummary[], slices: Slices): Promise<void> {
    const byId = new Map<number, SeriesSummary>();
    await inSlices(summaries, (one) => byId.set(one.series.id, one), slices);
    for (const { key, series } of groups) {
      const text = textOf(key);
      let group = this.groups.get(text);
      if (!group) this.groups.set(text, (group = new FoldedGroup(key)));
      for (const thing of await thingsOf(series)) {
        const found = byId.get((thing.series[0] as Series).id);
        if (thing.as === 'value') {
          if (found) group.addValue(thing, found.summary);
          continue;
        }
        group.others.push(thing);
        for (const { id } of thing.series) {
          const summary = byId.get(id);
          if (summary) group.summaries.push(summary);
        }
      }
      if (slices.isOver()) await slices.next();
    }
  }

  /** Of all groups, in their order. */
  keys(): RowKey[] {
    return inOrderOfKeys([...this.groups.values()]).map(({ key }) => key);
  }

  /** The rows of some of the groups, in the order of their keys. */
  async rowsOf(
    keys: readonly RowKey[],
    store: Store,
    range: TimeRange,
    limit: QueryLimit,
  ): Promise<{ groups: SummaryGroup[]; basis: NumbersBasis }> {
    const some = keys.flatMap((key) => this.groups.get(textOf(key)) ?? []);
    const others = some.flatMap((group) => group.others);
    const summaries = some.flatMap((group) => group.summaries);
    const { numbers, basis } = await numbersOf(store, await inOrderOfDevices(others), summaries, range, limit);
    const byThing = new Map<Thing, ThingNumbers>();
    await inSlices(numbers, (one) => byThing.set(one.thing, one));
    const timeText = timeTexts();
    const found: SummaryGroup[] = [];
    await inSlices(some, (group) => {
      const known = group.others.flatMap((thing) => byThing.get(thing) ?? []);
      const rows = rowsOf(group.key, known, this.grouping, timeText);
      const ofValues = group.valueRow(this.grouping, timeText);
      if (ofValues) rows.push(ofValues);
      for (const row of rows.sort((a, b) => (a.row.as < b.row.as ? -1 : 1))) found.push(row);
    });
    return { groups: found, basis };
  }
}

const textOf = (key: RowKey): string => key.join('\n');

/** So that what is stored of a device is read once. */
async function inOrderOfDevices(things: readonly Thing[]): Promise<Thing[]> {
  const nameOf = (at: number): string => things[at]?.series[0]?.deviceName ?? '';
  const order = await orderInSlices(things.length, (a, b) =>
    nameOf(a) === nameOf(b) ? 0 : nameOf(a) < nameOf(b) ? -1 : 1,
  );
  return Array.from(order, (at) => things[at] as Thing);
}

class FoldedGroup {
  /** Things that are no values. */
  readonly others: Thing[] = [];
  /** Of their series. */
  readonly summaries: SeriesSummary[] = [];
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
