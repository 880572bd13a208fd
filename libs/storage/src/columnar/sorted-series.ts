import {
  hasAll,
  inSlices,
  matchesAny,
  selectsDevice,
  Slices,
  type DeviceSelector,
  type Pattern,
  type Selector,
  type Series,
} from '@device-metrics/domain';
import type { Device, SeriesEntry } from './series-entry.js';

/** Where more than one of so many devices is asked for by name, those are taken in the order in which all of them are. */
const MANY = 16;

/** Devices by name, and their series in order: what is asked for is found here. */
export class SortedSeries {
  /** Of all devices; undefined while nobody has asked since one came or went. */
  private sorted: readonly SeriesEntry[] | undefined;
  /** The same, as callers see them; undefined while nobody has asked since something of one changed. */
  private described: readonly Series[] | undefined;
  /** How often one came, went or changed. */
  private changes = 0;
  /** All devices by name; a new one is not among them. */
  private named: readonly Device[] = [];
  /** Series as they came, of the device that was put in order last, and their places in order. */
  private before: { readonly entries: readonly SeriesEntry[]; readonly order: readonly number[] } | undefined;

  constructor(private readonly devices: ReadonlyMap<string, Device>) {}

  /**
   * The selected series, by device, metric and labels, as callers see them: each is made when it is first asked for. In slices, in
   * which series may come or go: what is looked at stays as it was.
   */
  async describe(selector: Selector): Promise<readonly Series[]> {
    const { entries, isWanted } = await this.look(selector);
    if (!isWanted && entries === this.sorted) return this.describeAll(entries);
    const found: Series[] = [];
    await inSlices(entries, (entry) => void ((!isWanted || isWanted(entry)) && found.push(entry.series)));
    return found;
  }

  /** Kept until one of them changes: of a fleet it takes megabytes, which whoever asks again and again would make each time. */
  private async describeAll(entries: readonly SeriesEntry[]): Promise<readonly Series[]> {
    if (this.described) return this.described;
    const { changes } = this;
    const found = new Array<Series>(entries.length);
    await inSlices(entries, (entry, at) => void (found[at] = entry.series));
    if (changes === this.changes) this.described = found;
    return found;
  }

  /** Among which the selected series are, in their order, and which of them; all where nothing is said. */
  private async look(selector: Selector): Promise<{
    entries: readonly SeriesEntry[];
    isWanted?: (entry: SeriesEntry) => boolean;
  }> {
    const { devices, tags, metrics, labels } = selector;
    const hasLabels = hasAll(labels);
    const isLabelled = ({ series }: SeriesEntry): boolean => hasLabels(series.labels);
    const names = exactly(metrics);
    if (names) {
      const sorted = [...names].sort();
      const found: SeriesEntry[] = [];
      await inSlices(this.findDevices(selector), (device) => {
        for (const entry of ofMetrics(this.ofDevice(device), sorted)) found.push(entry);
      });
      return labels ? { entries: found, isWanted: isLabelled } : { entries: found };
    }
    const entries = await (devices || tags ? this.ofDevices(this.findDevices(selector)) : this.all());
    if (!metrics) return labels ? { entries, isWanted: isLabelled } : { entries };
    const matches = matchesAny(metrics);
    // The series of one metric follow each other, so that each name is looked at once for each device.
    let metricName: string | undefined;
    let isMatching = false;
    const isWanted = (entry: SeriesEntry): boolean => {
      if (entry.metricName !== metricName) {
        metricName = entry.metricName;
        isMatching = matches(metricName);
      }
      return isMatching && (!labels || isLabelled(entry));
    };
    return { entries, isWanted };
  }

  /** The selected devices, by name. */
  findDevices(selector: DeviceSelector): readonly Device[] {
    const { devices, tags } = selector;
    const names = exactly(devices);
    const candidates = names ? this.ofNames(names) : this.byName();
    if (!tags && (names || !devices)) return candidates;
    const selected = selectsDevice(selector);
    return candidates.filter((device) => selected({ name: device.name, tags: device.description.tags }));
  }

  /** Those that there are, by name. */
  private ofNames(names: ReadonlySet<string>): readonly Device[] {
    // Many are found in their order; few are put in order.
    if (names.size * MANY > this.devices.size) return this.byName().filter(({ name }) => names.has(name));
    return sortedByName(Array.from(names, (name) => this.devices.get(name)).filter((device) => device !== undefined));
  }

  private byName(): readonly Device[] {
    if (this.named.length !== this.devices.size) this.named = sortedByName(this.devices.values());
    return this.named;
  }

  /** A device has come or gone, or has another name. */
  devicesChanged(): void {
    this.named = [];
    this.seriesChanged();
  }

  private seriesChanged(): void {
    this.sorted = undefined;
    this.unitChanged();
  }

  /** A series has another unit. */
  unitChanged(): void {
    this.described = undefined;
    this.changes += 1;
  }

  /** Takes note of a new series. */
  add(entry: SeriesEntry): void {
    const { device } = entry;
    if (device.sorted) device.unsorted.push(entry);
    this.seriesChanged();
  }

  /** Takes note of a series that is gone. */
  drop(entry: SeriesEntry): void {
    const { device } = entry;
    if (device.unsorted.at(-1) === entry) device.unsorted.pop();
    else device.sorted = undefined;
    this.seriesChanged();
  }

  /** Sorts the series of every device once: of one with very many that takes long, and is not for the first who asks. */
  async sort(slices: Slices): Promise<void> {
    await inSlices(this.devices.values(), (device) => void this.ofDevice(device), slices);
  }

  private async all(): Promise<readonly SeriesEntry[]> {
    if (this.sorted) return this.sorted;
    const { changes } = this;
    const all = await this.ofDevices(this.byName());
    if (changes === this.changes) this.sorted = all;
    return all;
  }

  private async ofDevices(devices: readonly Device[]): Promise<readonly SeriesEntry[]> {
    const [only] = devices;
    if (only && devices.length === 1) return this.ofDevice(only);
    const slices = new Slices();
    const all: SeriesEntry[] = [];
    for (const device of devices) {
      for (const entry of this.ofDevice(device)) all.push(entry);
      if (slices.isOver()) await slices.next();
    }
    return all;
  }

  private ofDevice(device: Device): readonly SeriesEntry[] {
    if (!device.sorted) {
      device.sorted = this.inOrder(device.slots.filter((one) => one !== undefined));
    } else if (device.unsorted.length > 0) {
      device.sorted = merged(device.sorted, device.unsorted.sort(byMetricAndLabels));
    }
    device.unsorted = [];
    return device.sorted;
  }

  /** Series in order; those of a fleet's devices are mostly in the same places as those of the device before. */
  private inOrder(entries: readonly SeriesEntry[]): SeriesEntry[] {
    const { before } = this;
    const isAsBefore =
      before?.entries.length === entries.length && entries.every((one, at) => isSame(one, before.entries[at]));
    const order = isAsBefore
      ? before.order
      : entries.map((_, at) => at).sort((a, b) => byMetricAndLabels(entries[a], entries[b]));
    this.before = { entries, order };
    return order.map((at) => entries[at]);
  }
}

const sortedByName = (devices: Iterable<Device>): Device[] => [...devices].sort((a, b) => (a.name < b.name ? -1 : 1));

const isSame = (a: SeriesEntry, b: SeriesEntry): boolean =>
  a.metricName === b.metricName && a.labelsKey === b.labelsKey;

const byMetricAndLabels = (a: SeriesEntry, b: SeriesEntry): number =>
  a.metricName < b.metricName
    ? -1
    : a.metricName > b.metricName
      ? 1
      : a.labelsKey < b.labelsKey
        ? -1
        : a.labelsKey > b.labelsKey
          ? 1
          : 0;

function merged(sorted: readonly SeriesEntry[], added: readonly SeriesEntry[]): SeriesEntry[] {
  const all: SeriesEntry[] = [];
  let at = 0;
  for (const one of added) {
    while (at < sorted.length && byMetricAndLabels(sorted[at], one) < 0) all.push(sorted[at++]);
    all.push(one);
  }
  while (at < sorted.length) all.push(sorted[at++]);
  return all;
}

/** Names that are asked for as they are; undefined where there is a pattern, or nothing is asked for. */
function exactly(patterns: readonly Pattern[] | undefined): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const pattern of patterns ?? [{ like: '*' }]) {
    if (typeof pattern !== 'string') return undefined;
    names.add(pattern);
  }
  return names;
}

/** The series of these metrics, in the same order. */
function* ofMetrics(sorted: readonly SeriesEntry[], names: readonly string[]): Generator<SeriesEntry> {
  for (const name of names) {
    let [from, to] = [0, sorted.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (sorted[middle].metricName < name) from = middle + 1;
      else to = middle;
    }
    for (; from < sorted.length && sorted[from].metricName === name; from += 1) yield sorted[from];
  }
}
