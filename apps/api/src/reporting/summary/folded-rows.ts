import {
  copyOfSummary,
  inSlices,
  metricKind,
  orderInSlices,
  type Labels,
  type Series,
  type Slices,
  type Summary,
  type TimeRange,
} from '@device-metrics/domain';
import {
  numbersOf,
  thingOf,
  thingsOf,
  type NumbersBasis,
  type QueryLimit,
  type Thing,
  type ThingNumbers,
} from '@device-metrics/query';
import type { SeriesSummary, Store, SummaryPart } from '@device-metrics/storage';
import { timeTexts } from '../answer/time-texts.js';
import {
  FiguresTogether,
  inOrderOfKeys,
  KeyMaker,
  rowOf,
  rowsOf,
  type Grouping,
  type RowKey,
  type SummaryGroup,
} from './grouping.js';

/** Series that are added without a look at the clock. */
const WITHOUT_LOOK = 64;

/**
 * Rows of groups that have series of very many devices: values, which most series are, are added up as they come, and nothing is
 * made or kept for each series. What other numbers are made of is kept until all is there.
 */
export class FoldedRows {
  private readonly groups = new Map<string, FoldedGroup>();
  /** By what they have besides metric and unit, and by metric: those of each unit. */
  private readonly found = new Map<string, Map<string, FoldedGroup[]>>();
  private readonly keys: KeyMaker;

  /** @param keepsDevices whether somebody asks whose values each row is made of: of a fleet that is a name for each series. */
  constructor(
    private readonly grouping: Grouping,
    tagsOf: (deviceName: string) => Labels,
    private readonly keepsDevices: boolean,
  ) {
    this.keys = new KeyMaker(grouping, tagsOf);
  }

  /**
   * @param series of a fleet, of which the part is; in order.
   * @param chosen the ids of those that count; left out: all.
   */
  async add(series: readonly Series[], part: SummaryPart, slices: Slices, chosen?: ReadonlySet<number>): Promise<void> {
    const { to } = part;
    const nextFrom = (from: number): number => {
      let at = from;
      if (chosen) while (at < to && !chosen.has((series[at] as Series).id)) at += 1;
      return at;
    };
    let look = part.from + WITHOUT_LOOK;
    for (let at = nextFrom(part.from); at < to;) {
      const one = series[at] as Series;
      let next = nextFrom(at + 1);
      if (next < to && isOfSame(one, series[next] as Series)) {
        const several: SeriesSummary[] = [];
        const all: Series[] = [];
        for (next = at; next < to && isOfSame(one, series[next] as Series); next = nextFrom(next + 1)) {
          const [its, summary] = [series[next] as Series, part.of(next)];
          all.push(its);
          if (summary) several.push({ series: its, summary: copyOfSummary(summary) });
        }
        await this.addSeveral(all, several);
      } else {
        this.addOne(one, part.of(at));
      }
      at = next;
      if (at < look) continue;
      look = at + WITHOUT_LOOK;
      if (slices.isOver()) await slices.next();
    }
  }

  /** Adds a series that is the only one of its device and metric. */
  private addOne(one: Series, summary: Readonly<Summary> | undefined): void {
    const group = this.groupOf(one);
    if (!group.isOfCounters) {
      if (summary) group.addValue(one, summary);
      return;
    }
    group.others.push(thingOf([one]));
    if (summary) group.summaries.push({ series: one, summary: copyOfSummary(summary) });
  }

  /** Adds series of one device and metric. */
  private async addSeveral(series: readonly Series[], summaries: readonly SeriesSummary[]): Promise<void> {
    const byGroup = new Map<FoldedGroup, Series[]>();
    await inSlices(series, (one) => {
      const group = this.groupOf(one);
      const same = byGroup.get(group);
      if (same) same.push(one);
      else byGroup.set(group, [one]);
    });
    const byId = new Map<number, SeriesSummary>();
    await inSlices(summaries, (one) => byId.set(one.series.id, one));
    for (const [group, its] of byGroup) {
      for (const thing of await thingsOf(its)) {
        const [first] = thing.series as [Series];
        if (thing.as === 'value') {
          const found = byId.get(first.id);
          if (found) group.addValue(first, found.summary);
          continue;
        }
        group.others.push(thing);
        for (const { id } of thing.series) {
          const summary = byId.get(id);
          if (summary) group.summaries.push(summary);
        }
      }
    }
  }

  private groupOf(one: Series): FoldedGroup {
    const { metricName, unit } = one;
    const text = this.keys.textOfPairs(one);
    let byMetric = this.found.get(text);
    if (!byMetric) this.found.set(text, (byMetric = new Map<string, FoldedGroup[]>()));
    let ofUnits = byMetric.get(metricName);
    if (!ofUnits) byMetric.set(metricName, (ofUnits = []));
    for (let at = 0; at < ofUnits.length; at += 1) {
      const group = ofUnits[at] as FoldedGroup;
      if (group.key[UNIT] === (unit ?? '')) return group;
    }
    const group = new FoldedGroup(this.keys.of(one), this.keepsDevices);
    this.groups.set(textOf(group.key), group);
    ofUnits.push(group);
    return group;
  }

  /** Of all groups, in their order. */
  allKeys(): RowKey[] {
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

/** Whether both are of one device and metric. */
const isOfSame = (one: Series, other: Series): boolean =>
  one.metricName === other.metricName && one.deviceName === other.deviceName;

const textOf = (key: RowKey): string => key.join('\n');

/** So that what is stored of a device is read once. */
async function inOrderOfDevices(things: readonly Thing[]): Promise<Thing[]> {
  const nameOf = (at: number): string => things[at]?.series[0]?.deviceName ?? '';
  const order = await orderInSlices(things.length, (a, b) =>
    nameOf(a) === nameOf(b) ? 0 : nameOf(a) < nameOf(b) ? -1 : 1,
  );
  return Array.from(order, (at) => things[at] as Thing);
}

/** Where a key has its unit. */
const UNIT = 4;

class FoldedGroup {
  /** Whether each of its series by itself is a counter. */
  readonly isOfCounters: boolean;
  /** Things that are no values. */
  readonly others: Thing[] = [];
  /** Of their series. */
  readonly summaries: SeriesSummary[] = [];
  private readonly figures = new FiguresTogether();
  private readonly devices: string[] | undefined;
  private unit: string | null = null;
  private series = 0;
  private count = 0;
  private lastTime = -Infinity;

  constructor(
    readonly key: RowKey,
    keepsDevices: boolean,
  ) {
    this.devices = keepsDevices ? [] : undefined;
    this.isOfCounters = metricKind(key[1]) === 'counter';
  }

  addValue({ deviceName, unit }: Series, summary: Readonly<Summary>): void {
    const { count, lastTime } = summary;
    const { devices } = this;
    if (devices && devices.at(-1) !== deviceName) devices.push(deviceName);
    this.figures.addSummary(summary);
    this.unit = unit;
    this.series += 1;
    this.count += count;
    if (lastTime > this.lastTime) this.lastTime = lastTime;
  }

  /** The row of the values; undefined where there is none. */
  valueRow(grouping: Grouping, timeText: (time: number) => string): SummaryGroup | undefined {
    const { key, devices, unit, series, count, lastTime } = this;
    if (series === 0) return undefined;
    const figures = this.figures.figures();
    const row = rowOf(key, { as: 'value', unit, series, count, lastTime, figures }, grouping, timeText);
    return { key, row, numbers: [], ...(devices && { devices }) };
  }
}
