import {
  inSlices,
  labelsKey,
  metricKind,
  oneNumber,
  Slices,
  stateLabels,
  type Labels,
  type Series,
} from '@device-metrics/domain';

/** What one number of a thing is; see `OneNumber` of the metric catalogue. */
export type NumberKind = 'value' | 'rate' | 'share' | 'sum' | 'state';

/**
 * What is measured: the series of one device, metric and unit that differ in nothing but their state, such as the memory
 * that is used and the memory that is free. Mostly it is one series.
 */
export interface Thing {
  readonly as: NumberKind;
  readonly series: readonly Series[];
  /** Of a share or a sum: the states that count, as indexes of `series`. */
  readonly counted: ReadonlySet<number>;
  /** Whether its values are those of a counter. */
  readonly isCounter: boolean;
  /** Of its numbers: UCUM, null while nobody has said. */
  readonly unit: string | null;
}

/** The things that series are of, in the order in which these come first. */
export async function thingsOf(series: readonly Series[]): Promise<Thing[]> {
  const slices = new Slices();
  const things: Thing[] = [];
  // Mostly series come in order, so that those of a device and metric follow each other, and mostly there is one.
  const areInOrder = series.every((one, index) => index === 0 || !comesBefore(one, series[index - 1] as Series));
  for (let from = 0, to = areInOrder ? 0 : series.length; from < series.length; from = to) {
    const first = series[from] as Series;
    while (to < series.length && !comesBefore(first, series[to] as Series)) to += 1;
    if (to - from === 1) things.push(thingOf([first]));
    else await addThings(things, series.slice(from, to), slices);
    if (slices.isOver()) await slices.next();
  }
  return things;
}

/** By device and metric. */
const comesBefore = (a: Series, b: Series): boolean =>
  a.deviceName === b.deviceName ? a.metricName < b.metricName : a.deviceName < b.deviceName;

async function addThings(things: Thing[], series: readonly Series[], slices: Slices): Promise<void> {
  const groups = new Map<string, Series[]>();
  const group = (one: Series): void => {
    const key = `${one.deviceName}\n${one.metricName}\n${one.unit ?? ''}\n${labelsKey(withoutStates(one))}`;
    const same = groups.get(key);
    if (same) same.push(one);
    else groups.set(key, [one]);
  };
  await inSlices(series, group, slices);
  await inSlices(groups.values(), (one) => void things.push(thingOf(one)), slices);
}

function withoutStates({ metricName, labels }: Series): Labels {
  const states = stateLabels(metricName, labels);
  if (states.length === 0) return labels;
  return Object.fromEntries(Object.entries(labels).filter(([name]) => !states.includes(name)));
}

const NONE: ReadonlySet<number> = new Set();

/** The thing that these series are of. A state by itself, such as the memory that is free, is a value of its own. */
export function thingOf(series: readonly Series[]): Thing {
  const [first] = series as [Series];
  const isCounter = metricKind(first.metricName) === 'counter';
  if (series.length === 1) {
    const as = isCounter ? 'rate' : 'value';
    return { as, series, counted: NONE, isCounter, unit: unitOf(as, first.unit) };
  }
  const meant = oneNumber(first.metricName);
  const as = isCounter || meant.as !== 'value' ? meant.as : 'sum';
  const named = 'states' in meant ? meant.states : undefined;
  const counted = new Set(series.flatMap((one, index) => (named && !isNamed(one, named) ? [] : [index])));
  return { as, series, counted, isCounter, unit: unitOf(as, first.unit) };
}

const isNamed = ({ metricName, labels }: Series, states: readonly string[]): boolean =>
  stateLabels(metricName, labels).some((label) => states.includes(labels[label] ?? ''));

function unitOf(as: NumberKind, unit: string | null): string | null {
  if (as === 'share') return '1';
  if (as !== 'rate' || unit === null) return unit;
  // Seconds in each second are a share of the time.
  return unit === 's' ? '1' : unit === 'J' ? 'W' : `${unit}/s`;
}
