import {
  hasAll,
  inSlices,
  isColumns,
  labelsKey,
  matchesAny,
  metricDefinition,
  NamedSeries,
  selectsDevice,
  type DeviceSelector,
  type Labels,
  type Pattern,
  type Sample,
  type SampleBatch,
  type Selector,
  type Series,
} from '@device-metrics/domain';
import type { Head } from './head.js';
import { hourOf } from './hour.js';
import { LatestSamples } from './latest-samples.js';
import type { SeriesLimit } from './series-limit.js';
import { SeriesByMetric } from './series-by-metric.js';
import { SeriesTrial } from './series-trial.js';
import { TooManySeriesError, type DeviceDescription, type RefusedGroup } from '../store.js';

const UNLABELLED = labelsKey({});
/** One for all series that have none. */
const NO_LABELS: Labels = Object.freeze({});

/** A device with its series. */
export class Device {
  readonly metrics = new SeriesByMetric<SeriesEntry>();
  /** Its series in the order in which they became known, each in the place of its `slot`. */
  readonly slots: (SeriesEntry | undefined)[] = [];
  seriesCount = 0;
  /** How many samples its last head had: what to make room for. */
  usualSize = 0;
  /** Its series by metric and labels, and those that have come since. */
  sorted: readonly SeriesEntry[] | undefined;
  unsorted: SeriesEntry[] = [];
  /** Where its samples went last. */
  head: Head | undefined;

  constructor(
    readonly id: number,
    public name: string,
    public description: DeviceDescription = { displayName: null, notes: null, tags: {} },
  ) {}

  entries(): Iterable<SeriesEntry> {
    return this.metrics.values();
  }
}

/** What the store knows of one series. */
export class SeriesEntry {
  /** The series whose sample came after one of this the last time. */
  next: SeriesEntry | undefined;
  readonly id: number;
  readonly metricName: string;
  /** Its place among the series of its device. */
  readonly slot: number;
  private described: Series;

  constructor(
    readonly device: Device,
    readonly labelsKey: string,
    series: Series,
  ) {
    this.id = series.id;
    this.metricName = series.metricName;
    this.slot = device.slots.push(this) - 1;
    this.described = series;
  }

  /** As callers see it: another object when its unit or the name of its device changes. */
  get series(): Series {
    const { described, device } = this;
    return described.deviceName === device.name
      ? described
      : (this.described = { ...described, deviceName: device.name });
  }

  setUnit(unit: string | null): void {
    this.described = { ...this.series, unit };
  }
}

/** What the catalogue writes to its tables, within the transaction that is open. */
export interface CatalogueTables {
  /** Gives the id of a new device. */
  addDevice(name: string): number;
  /** Gives the id of a new series. */
  addSeries(deviceId: number, metricName: string, labelsKey: string, unit: string | null): number;
  setUnit(seriesId: number, unit: string): void;
  /** The greatest id that a series ever had. */
  lastSeriesId(): number;
}

/** A device as its table has it. */
export interface DeviceRow {
  readonly id: number;
  readonly name: string;
  readonly display_name: string | null;
  readonly notes: string | null;
  /** JSON. */
  readonly tags: string;
}

/** A row of the table of series, with the latest sample where it is known. */
export interface SeriesRow {
  readonly id: number;
  readonly device_id: number;
  readonly metric_name: string;
  readonly labels_key: string;
  readonly unit: string | null;
  readonly ts: number | null;
  readonly value: number | null;
}

/**
 * All devices and series, in memory and in their tables. What a transaction adds stays on trial until `keep` or `undo`
 * follows its commit or rollback.
 */
export class SeriesCatalogue {
  readonly latest = new LatestSamples();
  private readonly devices = new Map<string, Device>();
  /** By the names that they had before. */
  private readonly aliases = new Map<string, Device>();
  private readonly devicesById = new Map<number, Device>();
  private readonly entries = new Map<number, SeriesEntry>();
  private sorted: readonly SeriesEntry[] | undefined;
  private readonly undoes: (() => void)[] = [];
  /** Another object whenever a name may mean another series than before. */
  private state: object = {};
  /** Of the sample before. */
  private last: SeriesEntry | undefined;

  constructor(
    private readonly tables: CatalogueTables,
    private readonly limit: SeriesLimit,
  ) {}

  /** Takes in a device that is in its table. */
  loadDevice(device: Device): void {
    this.addDevice(device);
  }

  /** Whether a row that says to be a series can be one: its device is there, and has no series of this metric and labels. */
  isFree({ device_id, metric_name, labels_key }: Pick<SeriesRow, 'device_id' | 'metric_name' | 'labels_key'>): boolean {
    const device = this.devicesById.get(device_id);
    return device !== undefined && !device.metrics.get(metric_name, labels_key);
  }

  /** Takes in a name that a device had before. */
  loadAlias(name: string, deviceId: number): void {
    const device = this.devicesById.get(deviceId);
    if (device) this.aliases.set(name, device);
  }

  /** Takes in a series that is in its table. */
  loadSeries({ id, device_id, metric_name: metricName, labels_key: key, unit, ts, value }: SeriesRow): void {
    const device = this.devicesById.get(device_id);
    if (!device) throw new Error(`series ${id} belongs to device ${device_id}, which does not exist`);
    const isUnlabelled = key === UNLABELLED;
    const labels = isUnlabelled ? NO_LABELS : (JSON.parse(key) as Labels);
    // One text for all that have none.
    this.hold(
      new SeriesEntry(device, isUnlabelled ? UNLABELLED : key, {
        id,
        deviceName: device.name,
        metricName,
        labels,
        unit,
      }),
    );
    if (ts !== null && value !== null) this.latest.note(id, ts, value);
  }

  /** The series of a sample, which comes into being if need be; only within a transaction. */
  entryOf(sample: Sample): SeriesEntry {
    const entry = this.guess(sample) ?? this.lookUp(sample);
    if (this.last) this.last.next = entry;
    this.last = entry;
    // A unit that was said stays: another one would give all that is stored another meaning.
    if (sample.unit !== undefined && entry.series.unit === null) this.setUnit(entry, sample.unit);
    return entry;
  }

  /** The series of a sample; undefined while there is none. */
  knownEntryOf(sample: Sample): SeriesEntry | undefined {
    const entry = this.guess(sample) ?? this.findOne(sample);
    if (!entry) return undefined;
    if (this.last) this.last.next = entry;
    this.last = entry;
    return entry;
  }

  /** The same for a series that was named before, whose look-up is kept with it. */
  knownEntryOfNamed(named: NamedSeries): SeriesEntry | undefined {
    const known = this.foundFor(named);
    if (known) return known;
    const entry = this.findOne(named);
    if (entry) {
      named.found = entry;
      named.foundIn = this.state;
    }
    return entry;
  }

  private findOne({ deviceName, metricName, labels }: Omit<Named, 'unit'>): SeriesEntry | undefined {
    return this.deviceOfSample(deviceName)?.metrics.get(metricName, keyOf(labels));
  }

  /** The device that samples for a name go to. */
  deviceOfSample(name: string): Device | undefined {
    return this.devices.get(name) ?? this.aliases.get(name);
  }

  /**
   * Asks whether there may be new series, which are all different and not there yet.
   *
   * @throws TooManySeriesError where one of them may not be; then none of them counts.
   */
  admit(wanted: readonly Pick<Sample, 'deviceName' | 'metricName' | 'labels'>[]): void {
    const refusal = this.tryOut().take(wanted);
    if (refusal) throw new TooManySeriesError(refusal);
  }

  /** The groups of samples, each up to one of `ends`, that have new series which there may not be. */
  refusedGroups(samples: SampleBatch, ends: ArrayLike<number>): RefusedGroup[] {
    const names: readonly Named[] = isColumns(samples) ? samples.series : samples;
    const trial = this.tryOut();
    const coming = new Set<string>();
    const refused: RefusedGroup[] = [];
    let at = 0;
    for (let group = 0; group < ends.length; group += 1) {
      const wanted = new Map<string, Named>();
      for (; at < ends[group]; at += 1) {
        const one = names[at];
        if (this.findOne(one)) continue;
        const key = `${trial.nameOf(one.deviceName)}\n${one.metricName}\n${labelsKey(one.labels)}`;
        if (!coming.has(key)) wanted.set(key, one);
      }
      const refusal = trial.take(wanted.values());
      if (refusal) refused.push({ group, ...refusal });
      else for (const key of wanted.keys()) coming.add(key);
    }
    trial.giveBack();
    return refused;
  }

  private tryOut(): SeriesTrial {
    return new SeriesTrial((name) => this.deviceOfSample(name), this.limit);
  }

  /** The same as `entryOf` for a series that was named before, whose look-up is kept with it. */
  entryOfNamed(named: NamedSeries): SeriesEntry {
    let entry = this.foundFor(named);
    if (!entry) {
      entry = this.lookUp(named);
      named.found = entry;
      named.foundIn = this.state;
    }
    if (named.unit !== undefined && entry.series.unit === null) this.setUnit(entry, named.unit);
    return entry;
  }

  private foundFor(named: NamedSeries): SeriesEntry | undefined {
    return named.foundIn === this.state ? (named.found as SeriesEntry) : undefined;
  }

  /** The series that followed the one before last time: senders repeat their order, and this costs no look-up. */
  private guess({ deviceName, metricName, labels }: Sample): SeriesEntry | undefined {
    const guess = this.last?.next;
    return guess &&
      guess.metricName === metricName &&
      guess.device.name === deviceName &&
      (guess.labelsKey === UNLABELLED ? isEmpty(labels) : guess.labelsKey === labelsKey(labels))
      ? guess
      : undefined;
  }

  private lookUp(sample: Named): SeriesEntry {
    const device = this.deviceOf(sample.deviceName);
    const key = keyOf(sample.labels);
    return device.metrics.get(sample.metricName, key) ?? this.addSeries(device, key, sample);
  }

  /** The unit of the series that a sample goes to; undefined while there is none. */
  unitOf(sample: Pick<Sample, 'deviceName' | 'metricName' | 'labels'>): string | null | undefined {
    // Found by the gate, which lets others pass meanwhile, it need not be found in the commit, which does not.
    const entry = sample instanceof NamedSeries ? this.knownEntryOfNamed(sample) : this.findOne(sample);
    return entry?.series.unit;
  }

  get(id: number): SeriesEntry | undefined {
    return this.entries.get(id);
  }

  /** As `get`, for ids that come one after the other: where they come in the order of before, no look-up is needed. */
  getNext(id: number): SeriesEntry | undefined {
    const guess = this.last?.next;
    const entry = guess?.id === id ? guess : this.entries.get(id);
    if (!entry) return undefined;
    if (this.last) this.last.next = entry;
    this.last = entry;
    return entry;
  }

  allDevices(): Iterable<Device> {
    return this.devices.values();
  }

  device(name: string): Device | undefined {
    return this.devices.get(name);
  }

  deviceById(id: number): Device | undefined {
    return this.devicesById.get(id);
  }

  /** Whether a series of this id was ever there; such an id is never given again. */
  wasThere(seriesId: number): boolean {
    return seriesId <= this.tables.lastSeriesId();
  }

  /** Takes a device and its series out of memory, once they are gone from their tables. */
  dropDevice(device: Device): void {
    this.hideDevice(device);
    for (const entry of device.entries()) this.forget(entry);
  }

  /** Nothing leads to the device any more; `forget` lets go of each of its series. */
  hideDevice(device: Device): void {
    this.devices.delete(device.name);
    this.devicesById.delete(device.id);
    for (const [name, one] of this.aliases) if (one === device) this.aliases.delete(name);
    this.sorted = undefined;
    this.forgetGuesses();
  }

  forget({ id }: SeriesEntry): void {
    this.entries.delete(id);
    this.latest.drop(id);
  }

  /** Gives a device another name, which no device has; samples for the old one go on to it. */
  renameDevice(device: Device, name: string): void {
    this.devices.delete(device.name);
    this.aliases.set(device.name, device);
    this.aliases.delete(name);
    device.name = name;
    this.devices.set(name, device);
    this.sorted = undefined;
    // Guesses compare the name; what was kept with one does not.
    this.state = {};
  }

  /**
   * The series of a device that is to take in another one of the same metric and labels; it comes into being if need be, and
   * only within a transaction.
   */
  counterpart(device: Device, { series, labelsKey: key }: SeriesEntry): SeriesEntry {
    const known = device.metrics.get(series.metricName, key);
    if (!known) return this.insertEntry(device, key, series);
    if (known.series.unit === null && series.unit !== null) this.setUnit(known, series.unit);
    return known;
  }

  /** Takes a device out of memory whose series have gone to another; samples for its names go on to that one. */
  mergeDevice(source: Device, target: Device): void {
    const names = [source.name, ...this.formerNames(source)];
    this.dropDevice(source);
    for (const name of names) this.aliases.set(name, target);
  }

  /** The names that a device had before. */
  formerNames(device: Device): string[] {
    return [...this.aliases].flatMap(([name, one]) => (one === device ? [name] : [])).sort();
  }

  /** Of all devices that had others. */
  allFormerNames(): ReadonlyMap<Device, string[]> {
    const found = new Map<Device, string[]>();
    for (const [name, device] of this.aliases) found.set(device, [...(found.get(device) ?? []), name].sort());
    return found;
  }

  /** Takes a series out of memory, once it is gone from its table. */
  dropSeries(entry: SeriesEntry): void {
    this.drop(entry);
    this.forgetGuesses();
  }

  get deviceCount(): number {
    return this.devices.size;
  }

  get seriesCount(): number {
    return this.entries.size;
  }

  /** The selected series, by device, metric and labels. */
  find(selector: Selector): readonly SeriesEntry[] {
    const { devices, tags, metrics, labels } = selector;
    const labelled = hasAll(labels);
    const names = namesOf(metrics);
    if (names) {
      const found: SeriesEntry[] = [];
      for (const device of this.findDevices(selector)) {
        for (const entry of ofMetrics(this.ofDevice(device), names)) {
          if (!labels || labelled(entry.series.labels)) found.push(entry);
        }
      }
      return found;
    }
    const entries = devices || tags ? this.findDevices(selector).flatMap((one) => this.ofDevice(one)) : this.all();
    if (!metrics && !labels) return entries;
    const wanted = matchesAny(metrics);
    // The series of one metric follow each other, so that each name is looked at once for each device.
    let metricName: string | undefined;
    let isWanted = false;
    return entries.filter((entry) => {
      if (entry.metricName !== metricName) {
        metricName = entry.metricName;
        isWanted = wanted(metricName);
      }
      return isWanted && labelled(entry.series.labels);
    });
  }

  /** The selected devices, by name. */
  findDevices(selector: DeviceSelector): readonly Device[] {
    const selected = selectsDevice(selector);
    const found: Device[] = [];
    for (const device of this.candidates(selector)) {
      if (selected({ name: device.name, tags: device.description.tags })) found.push(device);
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The devices among which the selected ones are: those that the selector names, or all. */
  private candidates({ devices }: DeviceSelector): Iterable<Device> {
    const named = new Set<Device>();
    for (const pattern of devices ?? [undefined]) {
      if (typeof pattern !== 'string') return this.devices.values();
      const device = this.devices.get(pattern);
      if (device) named.add(device);
    }
    return named;
  }

  /** Series, time and value of the latest samples of a device that are in an hour. */
  latestWithin(deviceId: number, hour: number): [seriesId: number, time: number, value: number][] {
    const found: [number, number, number][] = [];
    for (const { id } of this.devicesById.get(deviceId)?.entries() ?? []) {
      const time = this.latest.timeOf(id);
      if (hourOf(time) === hour) found.push([id, time, this.latest.valueOf(id)]);
    }
    return found;
  }

  keep(): void {
    this.undoes.length = 0;
  }

  undo(): void {
    if (this.undoes.length === 0) return;
    while (this.undoes.length > 0) this.undoes.pop()?.();
    this.forgetGuesses();
  }

  /** No guess, and nothing that was kept with a name, may lead to a series that is not there. */
  private forgetGuesses(): void {
    this.state = {};
    this.last = undefined;
    for (const entry of this.entries.values()) entry.next = undefined;
  }

  /** Sorts the series of every device once: of one with very many that takes long, and is not for the first who asks. */
  async sort(): Promise<void> {
    await inSlices(this.devices.values(), (device) => void this.ofDevice(device));
  }

  private all(): readonly SeriesEntry[] {
    this.sorted ??= this.findDevices({}).flatMap((device) => this.ofDevice(device));
    return this.sorted;
  }

  private ofDevice(device: Device): readonly SeriesEntry[] {
    if (!device.sorted) {
      device.sorted = [...device.entries()].sort(byMetricAndLabels);
    } else if (device.unsorted.length > 0) {
      device.sorted = merged(device.sorted, device.unsorted.sort(byMetricAndLabels));
    }
    device.unsorted = [];
    return device.sorted;
  }

  private addDevice(device: Device): void {
    this.devices.set(device.name, device);
    this.devicesById.set(device.id, device);
  }

  private deviceOf(name: string): Device {
    const known = this.devices.get(name) ?? this.aliases.get(name);
    if (known) return known;
    const device = new Device(this.tables.addDevice(name), name);
    this.addDevice(device);
    this.undoes.push(() => {
      this.devices.delete(name);
      this.devicesById.delete(device.id);
    });
    return device;
  }

  private addSeries(device: Device, key: string, { metricName, unit: saidUnit, labels }: Named): SeriesEntry {
    const unit = saidUnit ?? metricDefinition(metricName)?.unit ?? null;
    const refusal = this.limit.take(device, metricName);
    if (refusal) throw new TooManySeriesError(refusal);
    this.undoes.push(() => this.limit.giveBack(device));
    return this.insertEntry(device, key, { metricName, unit, labels });
  }

  private insertEntry(
    device: Device,
    key: string,
    { metricName, unit, labels }: Pick<Series, 'metricName' | 'unit' | 'labels'>,
  ): SeriesEntry {
    const id = this.tables.addSeries(device.id, metricName, key, unit);
    const series = { id, deviceName: device.name, metricName, labels: owned(labels), unit };
    const entry = this.hold(new SeriesEntry(device, key, series));
    this.undoes.push(() => this.drop(entry));
    return entry;
  }

  private setUnit(entry: SeriesEntry, unit: string): void {
    const before = entry.series.unit;
    this.tables.setUnit(entry.id, unit);
    entry.setUnit(unit);
    this.undoes.push(() => entry.setUnit(before));
  }

  private hold(entry: SeriesEntry): SeriesEntry {
    const { device, series } = entry;
    device.metrics.set(entry);
    this.entries.set(series.id, entry);
    device.seriesCount += 1;
    this.latest.add(series.id);
    if (device.sorted) device.unsorted.push(entry);
    this.sorted = undefined;
    return entry;
  }

  private drop(entry: SeriesEntry): void {
    const { device, series, slot } = entry;
    device.slots[slot] = undefined;
    device.seriesCount -= 1;
    device.metrics.delete(entry);
    this.entries.delete(series.id);
    this.latest.drop(series.id);
    if (device.unsorted.at(-1) === entry) device.unsorted.pop();
    else device.sorted = undefined;
    this.sorted = undefined;
  }
}

const keyOf = (labels: Labels): string => (isEmpty(labels) ? UNLABELLED : labelsKey(labels));

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

/** What names a series. */
type Named = Pick<Sample, 'deviceName' | 'metricName' | 'unit' | 'labels'>;

/** Labels that nobody changes. */
const owned = (labels: Labels): Labels => (Object.isFrozen(labels) ? labels : { ...labels });

function isEmpty(labels: Labels): boolean {
  for (const _ in labels) return false;
  return true;
}

/** Names that are asked for as they are, each once and in order; undefined where there is a pattern, or nothing is asked for. */
function namesOf(patterns: readonly Pattern[] | undefined): readonly string[] | undefined {
  const names = patterns?.filter((pattern) => typeof pattern === 'string');
  return names && names.length === patterns?.length ? [...new Set(names)].sort() : undefined;
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
