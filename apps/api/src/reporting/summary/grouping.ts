import { inSlices, labelsKey, quote, type Labels, type Rule, type Series, type Summary } from '@device-metrics/domain';
import type { Figures, NumberKind, ThingNumbers } from '@device-metrics/query';
import type { SummaryRowDto } from './summary.dto.js';

/** What tells apart the groups of a summary, besides the metric: values of different metrics are never taken together. */
export interface Grouping {
  readonly device: boolean;
  /** `all` labels, or the values of the named ones. */
  readonly labels: 'all' | readonly string[];
  /** The same of the tags of the device. */
  readonly tags: 'all' | readonly string[];
}

/** Each series is a row of its own. */
export const BY_SERIES: Grouping = { device: true, labels: 'all', tags: [] };

/**
 * A grouping of `device`, `metric`, `label` (each set of labels), `label:<name>`, `tag` (each set of tags) and
 * `tag:<name>`; undefined for other words.
 */
export function parseGrouping(words: readonly string[]): Grouping | undefined {
  const isKnown = (word: string): boolean =>
    ['device', 'metric', 'label', 'tag'].includes(word) || /^(label|tag):./.test(word);
  if (!words.every(isKnown)) return undefined;
  const pairs = (kind: 'label' | 'tag'): 'all' | readonly string[] =>
    words.includes(kind)
      ? 'all'
      : words.filter((word) => word.startsWith(`${kind}:`)).map((word) => word.slice(kind.length + 1));
  return { device: words.includes('device'), labels: pairs('label'), tags: pairs('tag') };
}

/** Of `group_by` in a query. */
export const groupingRule: Rule = (value) =>
  Array.isArray(value) && value.every((word) => typeof word === 'string') && parseGrouping(value)
    ? undefined
    : `must be of device, metric, label, label:<name>, tag and tag:<name>, got ${quote(Array.isArray(value) ? value.join(',') : value)}`;

/** Whether each series is a group: no two series of a device have the same metric and labels. */
export const isBySeries = ({ device, labels }: Grouping): boolean => device && labels === 'all';

/** Series that are taken together, before anything is known of their numbers. */
export interface SeriesGroup {
  /** Tells the group apart from the others; also their order. */
  readonly key: RowKey;
  readonly series: Series[];
}

/** Device, metric, labels, tags and unit, as texts. */
export type RowKey = readonly [device: string, metric: string, labels: string, tags: string, unit: string];

/** The groups in the order of their keys. Units of a metric that differ make groups of their own. */
export async function groupSeries(
  series: readonly Series[],
  grouping: Grouping,
  tagsOf: (deviceName: string) => Labels,
): Promise<SeriesGroup[]> {
  const keys = new KeyMaker(grouping, tagsOf);
  const groups = new Map<string, SeriesGroup>();
  const found: SeriesGroup[] = [];
  const isOfSeries = isBySeries(grouping);
  await inSlices(series, (one) => {
    const key = keys.of(one);
    const text = isOfSeries ? '' : key.join('\n');
    const same = isOfSeries ? undefined : groups.get(text);
    if (same) {
      same.series.push(one);
      return;
    }
    const group = { key, series: [one] };
    if (!isOfSeries) groups.set(text, group);
    found.push(group);
  });
  return inOrderOfKeys(found);
}

/** Makes the keys of series, one after the other. */
export class KeyMaker {
  /** Of the series before. */
  private deviceName: string | undefined;
  private tagText = '';

  constructor(
    private readonly grouping: Grouping,
    private readonly tagsOf: (deviceName: string) => Labels,
  ) {}

  of(one: Series): RowKey {
    const { deviceName, metricName, unit } = one;
    const device = this.grouping.device ? deviceName : '';
    return [device, metricName, this.labelTextOf(one), this.tagTextOf(deviceName), unit ?? ''];
  }

  /** What the key has of labels and tags. */
  textOfPairs(one: Series): string {
    const labels = this.labelTextOf(one);
    const tags = this.tagTextOf(one.deviceName);
    return labels === '' ? tags : `${labels}\n${tags}`;
  }

  private labelTextOf({ labels }: Series): string {
    const its = chosen(labels, this.grouping.labels);
    return its ? labelsKey(its) : '';
  }

  /** Series of one device mostly follow each other. */
  private tagTextOf(deviceName: string): string {
    if (this.grouping.tags.length === 0 || deviceName === this.deviceName) return this.tagText;
    const tags = chosen(this.tagsOf(deviceName), this.grouping.tags);
    this.deviceName = deviceName;
    return (this.tagText = tags ? labelsKey(tags) : '');
  }
}

export const inOrderOfKeys = <T extends { readonly key: RowKey }>(groups: T[]): T[] =>
  groups.sort((a, b) => compareKeys(a.key, b.key));

/** No labels, or no tags. */
const NONE = '{}';
const NO_PAIRS: Labels = Object.freeze({});

/** None of labels or tags comes first. */
export function compareKeys(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < a.length; index += 1) {
    if (a[index] === b[index]) continue;
    const text = a[index] === NONE ? '' : (a[index] as string);
    const other = b[index] === NONE ? '' : (b[index] ?? '');
    if (text !== other) return text < other ? -1 : 1;
  }
  return 0;
}

/** Those of the pairs that a grouping tells apart; undefined where it tells apart none. */
function chosen(pairs: Labels, names: 'all' | readonly string[]): Labels | undefined {
  if (names === 'all') return pairs;
  if (names.length === 0) return undefined;
  return Object.fromEntries(
    names.filter((name) => Object.hasOwn(pairs, name)).map((name) => [name, pairs[name] ?? '']),
  );
}

/** A row of a summary, and what it is made of. */
export interface SummaryGroup {
  /** That of the series. */
  readonly key: RowKey;
  readonly row: SummaryRowDto;
  /** None where they were added up as they came. */
  readonly numbers: readonly ThingNumbers[];
  /** Whose they were, where they were added up. */
  readonly devices?: readonly string[];
}

/** What the things of a row come to. */
export interface RowNumbers {
  readonly as: NumberKind;
  readonly unit: string | null;
  /** How many series they have. */
  readonly series: number;
  /** Samples. */
  readonly count: number;
  /** Of the newest sample, Unix milliseconds. */
  readonly lastTime: number;
  readonly figures: Figures | undefined;
  readonly increase?: number | undefined;
  readonly state?: string | undefined;
}

/** The rows of a group: one for each kind of number that its things have, in the order of their names. */
export function rowsOf(
  key: RowKey,
  numbers: readonly ThingNumbers[],
  grouping: Grouping,
  timeText: (time: number) => string,
): SummaryGroup[] {
  const kinds = [...new Set(numbers.map(({ thing }) => thing.as))].sort();
  return kinds.map((as) => {
    const same = numbers.filter(({ thing }) => thing.as === as);
    return { key, row: rowOf(key, together(same), grouping, timeText), numbers: same };
  });
}

/** The row of a group with one thing, as most are. */
export function rowOfOne(
  { key }: SeriesGroup,
  numbers: ThingNumbers,
  grouping: Grouping,
  timeText: (time: number) => string,
): SummaryGroup {
  const only = [numbers];
  return { key, row: rowOf(key, together(only), grouping, timeText), numbers: only };
}

/** What is undefined is left out of the JSON. */
export function rowOf(
  [device, metric, labels, tags]: RowKey,
  { as, unit, series, count, lastTime, figures, increase, state }: RowNumbers,
  grouping: Grouping,
  timeText: (time: number) => string,
): SummaryRowDto {
  return {
    device_name: grouping.device ? device : undefined,
    metric_name: metric,
    unit: unit ?? undefined,
    labels: labels === '' ? undefined : labels === NONE ? NO_PAIRS : (JSON.parse(labels) as Labels),
    tags: tags === '' ? undefined : (JSON.parse(tags) as Labels),
    series,
    count,
    min: figures?.min ?? null,
    max: figures?.max ?? null,
    mean: figures?.mean ?? null,
    last: figures?.last ?? null,
    last_time: timeText(lastTime),
    as,
    increase,
    state,
  };
}

function together(numbers: readonly ThingNumbers[]): RowNumbers {
  let [newest] = numbers as [ThingNumbers];
  const { thing } = newest;
  const figures = numbers.length === 1 ? newest.figures : figuresOf(numbers);
  let [series, count] = [0, 0];
  let increase: number | undefined;
  for (const one of numbers) {
    series += one.thing.series.length;
    count += one.count;
    if (one.increase !== undefined) increase = (increase ?? 0) + one.increase;
    if (one.lastTime >= newest.lastTime) newest = one;
  }
  const { lastTime } = newest;
  const state = newest.state && stateOf(newest.state, numbers);
  return { as: thing.as, unit: thing.unit, series, count, lastTime, figures, increase, state };
}

function figuresOf(numbers: readonly ThingNumbers[]): Figures | undefined {
  const all = new FiguresTogether();
  for (const { figures, lastTime } of numbers) if (figures) all.add(figures, lastTime);
  return all.figures();
}

export class FiguresTogether {
  private count = 0;
  private min = Infinity;
  private max = -Infinity;
  /** Of the first. */
  private mean = NaN;
  private sum = 0;
  private weight = 0;
  private last = NaN;
  private lastTime = -Infinity;

  add({ min, max, mean, last, weight }: Figures, lastTime: number): void {
    this.addNumbers(min, max, mean, last, weight, lastTime);
  }

  /** Adds those of values as they are. */
  addSummary({ count, min, max, sum, last, lastTime }: Readonly<Summary>): void {
    this.addNumbers(min, max, sum / count, last, count, lastTime);
  }

  private addNumbers(min: number, max: number, mean: number, last: number, weight: number, lastTime: number): void {
    if (this.count === 0) this.mean = mean;
    this.count += 1;
    this.min = Math.min(this.min, min);
    this.max = Math.max(this.max, max);
    this.sum += mean * weight;
    this.weight += weight;
    if (lastTime < this.lastTime) return;
    this.last = last;
    this.lastTime = lastTime;
  }

  /** Every number counts alike for the mean. */
  figures(): Figures | undefined {
    const { count, min, max, mean, sum, last, weight } = this;
    if (count === 0) return undefined;
    return { min, max, mean: count === 1 ? mean : sum / weight, last, weight };
  }
}

/** The figures of several things as those of one. */
export function figuresTogether(figures: readonly (Figures & { readonly lastTime: number })[]): Figures | undefined {
  const all = new FiguresTogether();
  for (const one of figures) all.add(one, one.lastTime);
  return all.figures();
}

/** The value of the label that tells the states apart. */
function stateOf(series: Series, numbers: readonly ThingNumbers[]): string {
  const others = numbers.flatMap(({ thing }) => thing.series);
  const name = Object.keys(series.labels).find((label) =>
    others.some((one) => one.labels[label] !== series.labels[label]),
  );
  return name === undefined ? '' : (series.labels[name] ?? '');
}
