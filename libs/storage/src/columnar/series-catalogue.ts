import {
  isColumns,
  labelsKey,
  metricDefinition,
  NamedSeries,
  type Sample,
  type SampleBatch,
  type Series,
  type SeriesGroup,
} from '@device-metrics/domain';
import { TooManySeriesError } from '../store.js';
import { hourOf } from './hour.js';
import { LabelSets, UNLABELLED } from './label-sets.js';
import { LatestSamples } from './latest-samples.js';
import { SeriesAdmission } from './series-admission.js';
import { Device, isEmpty, keyOf, SeriesEntry, type Named } from './series-entry.js';
import type { SeriesLimit } from './series-limit.js';
import { SeriesPlaces } from './series-places.js';
import { SeriesSlots } from './series-slots.js';
import { SortedSeries } from './sorted-series.js';

/** What the catalogue writes to its tables, within the transaction that is open. */
export interface CatalogueTables {
  /** Gives the id of a new device. */
  addDevice(name: string): number;
  /** Another id than any series ever had. */
  nextSeriesId(): number;
  addSeries(added: readonly SeriesEntry[]): void;
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

/** The series of samples: position by position, or of groups one behind the other. */
export type SeriesOfSamples =
  | { readonly entries: readonly SeriesEntry[]; readonly groups?: undefined }
  | { readonly groups: readonly SeriesPlaces[]; readonly entries?: undefined };

/** The series that names were found to lead to, in one state of the catalogue. */
export type KnownSeries = SeriesOfSamples & { readonly state: object };

/**
 * All devices and series, in memory and in their tables. What a transaction adds stays on trial until `keep` or `undo`
 * follows its commit or rollback.
 */
export class SeriesCatalogue {
  readonly latest = new LatestSamples();
  readonly slots = new SeriesSlots();
  private readonly devices = new Map<string, Device>();
  readonly sorted = new SortedSeries(this.devices);
  readonly admission: SeriesAdmission;
  /** By the names that they had before. */
  private readonly aliases = new Map<string, Device>();
  private readonly labelSets = new LabelSets();
  private readonly devicesById = new Map<number, Device>();
  /** By id. */
  private readonly entries: (SeriesEntry | undefined)[] = [];
  private entryCount = 0;
  private readonly undoes: (() => void)[] = [];
  /** Another object whenever a name may mean another series than before, or one in another unit. */
  private state: object = {};
  /** What it is found by that a series is not there; another one once any may be. */
  private absence: object | undefined;
  /** Of the sample before. */
  private last: SeriesEntry | undefined;

  constructor(
    private readonly tables: CatalogueTables,
    private readonly limit: SeriesLimit,
  ) {
    this.admission = new SeriesAdmission(this, limit);
  }

  /** Takes in a device that is in its table. */
  loadDevice(device: Device): void {
    this.addDevice(device);
  }

  /** Whether a row that says to be a series can be one: its device is there, and has no series of this metric and labels. */
  isFree({ device_id, metric_name, labels_key }: Pick<SeriesRow, 'device_id' | 'metric_name' | 'labels_key'>): boolean {
    const device = this.devicesById.get(device_id);
    return device !== undefined && !device.find(metric_name, labels_key);
  }

  /** Takes in a name that a device had before. */
  loadAlias(name: string, deviceId: number): void {
    const device = this.devicesById.get(deviceId);
    if (device) this.aliases.set(name, device);
    this.absence = undefined;
  }

  /** Takes in a series that is in its table; its device may have been looked up. */
  loadSeries(
    { id, device_id, metric_name: metricName, labels_key: key, unit, ts, value }: SeriesRow,
    device = this.devicesById.get(device_id),
  ): void {
    if (!device) throw new Error(`series ${id} belongs to device ${device_id}, which does not exist`);
    this.hold(new SeriesEntry(id, device, metricName, this.labelSets.of(key), unit));
    if (ts !== null && value !== null) this.latest.note(id, ts, value);
  }

  /** The series of a sample, which comes into being if need be; only within a transaction. */
  entryOf(sample: Sample): SeriesEntry {
    const entry = this.guess(sample) ?? this.lookUp(sample);
    if (this.last) this.last.next = entry;
    this.last = entry;
    // A unit that was said stays: another one would give all that is stored another meaning.
    if (sample.unit !== undefined && entry.unit === null) this.setUnit(entry, sample.unit);
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
    // Who sends very many that there may not be has each looked for several times.
    if (this.absence !== undefined && named.foundIn === this.absence) return undefined;
    const entry = this.findOne(named);
    named.found = entry;
    named.foundIn = entry ? this.state : (this.absence ??= {});
    return entry;
  }

  /** The same for one that may have been named before. */
  find(one: Omit<Named, 'unit'>): SeriesEntry | undefined {
    return one instanceof NamedSeries ? this.knownEntryOfNamed(one) : this.findOne(one);
  }

  /** The same, however it is named. */
  findOne({ deviceName, metricName, labels }: Omit<Named, 'unit'>): SeriesEntry | undefined {
    return this.deviceOfSample(deviceName)?.find(metricName, keyOf(labels));
  }

  /** The device that samples for a name go to. */
  deviceOfSample(name: string): Device | undefined {
    return this.devices.get(name) ?? this.aliases.get(name);
  }

  /** The same as `entryOf` for a series that was named before, whose look-up is kept with it. */
  entryOfNamed(named: NamedSeries): SeriesEntry {
    let entry = this.foundFor(named);
    if (!entry) {
      entry = this.lookUp(named);
      named.found = entry;
      named.foundIn = this.state;
    }
    if (named.unit !== undefined && entry.unit === null) this.setUnit(entry, named.unit);
    return entry;
  }

  /** The series of samples that come in columns, where all of them are known; see `knownSeries`. */
  knownSeriesOf(samples: SampleBatch): KnownSeries | undefined {
    if (!isColumns(samples)) return undefined;
    return samples.groups ? this.knownGroups(samples.groups) : this.knownSeries(samples.series);
  }

  /**
   * The series of names that were all looked up before, position by position; undefined where one has still to be looked up, to be
   * made, or to get its unit.
   */
  private knownSeries(names: readonly NamedSeries[]): KnownSeries | undefined {
    const { state } = this;
    const entries = new Array<SeriesEntry>(names.length);
    for (let at = 0; at < names.length; at += 1) {
      const { found, foundIn, unit } = names[at];
      if (foundIn !== state) return undefined;
      const entry = found as SeriesEntry;
      if (unit !== undefined && entry.unit === null) return undefined;
      entries[at] = entry;
    }
    return { entries, state };
  }

  /** The same of names in groups, where they have the units that they say. */
  private knownGroups(groups: readonly SeriesGroup[]): KnownSeries | undefined {
    const found: SeriesPlaces[] = [];
    for (const group of groups) {
      const places = this.placesOf(group);
      if (!places) return undefined;
      found.push(places);
    }
    return { groups: found, state: this.state };
  }

  private placesOf(group: SeriesGroup): SeriesPlaces | undefined {
    if (group.foundIn !== this.state) {
      const { entries } = this.knownSeries(group.series) ?? {};
      if (!entries || (group.saysUnits && !areInUnits(entries, group.series))) return undefined;
      group.note(new SeriesPlaces(entries), this.state);
    }
    return group.found as SeriesPlaces;
  }

  /** Whether all series of a group were looked up before, and have the units that it says. */
  hasUnits(group: SeriesGroup): boolean {
    return this.placesOf(group) !== undefined;
  }

  /** Whether names that were looked up lead to the same series now. */
  isStill({ state }: KnownSeries): boolean {
    return state === this.state;
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
      (guess.labelsKey === UNLABELLED.key ? isEmpty(labels) : guess.labelsKey === labelsKey(labels))
      ? guess
      : undefined;
  }

  private lookUp(sample: Named): SeriesEntry {
    const device = this.deviceOf(sample.deviceName);
    const key = keyOf(sample.labels);
    return device.find(sample.metricName, key) ?? this.addSeries(device, key, sample);
  }

  /** Whether more than so many of the samples are of series that are not there. */
  hasMoreNew(samples: SampleBatch, most: number): boolean {
    let count = 0;
    if (isColumns(samples)) {
      for (const one of samples.series) if (!this.knownEntryOfNamed(one) && (count += 1) > most) return true;
    } else {
      for (const one of samples) if (!this.knownEntryOf(one) && (count += 1) > most) return true;
    }
    return false;
  }

  /** Makes series that have been admitted, but for those that are there by now; only within a transaction. */
  make(admitted: Iterable<Named>): void {
    const made: SeriesEntry[] = [];
    this.undoes.push(() => made.reverse().forEach((entry) => this.drop(entry)));
    for (const { deviceName, metricName, unit, labels } of admitted) {
      const device = this.deviceOf(deviceName);
      const key = keyOf(labels);
      if (!device.find(metricName, key)) made.push(this.newEntry(device, key, metricName, unitOf(metricName, unit)));
    }
    this.tables.addSeries(made);
  }

  /** The unit of the series that a sample goes to; undefined while there is none. */
  unitOf(sample: Pick<Sample, 'deviceName' | 'metricName' | 'labels'>): string | null | undefined {
    // Found by the gate, which lets others pass meanwhile, it need not be found in the commit, which does not.
    return this.find(sample)?.unit;
  }

  /** Takes note of the unit that a series has in its table. */
  noteUnit(entry: SeriesEntry, unit: string | null): void {
    if (entry.unit === unit) return;
    // What was kept with a group is of series in the units that it says.
    if (entry.unit !== null) this.state = {};
    entry.unit = unit;
    this.sorted.unitChanged();
  }

  get(id: number): SeriesEntry | undefined {
    return this.entries[id];
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
    this.sorted.devicesChanged();
    this.forgetGuesses();
  }

  forget({ id }: SeriesEntry): void {
    if (this.entries[id]) this.entryCount -= 1;
    this.entries[id] = undefined;
    this.slots.drop(id);
    this.latest.drop(id);
  }

  /** Gives a device another name, which no device has; samples for the old one go on to it. */
  renameDevice(device: Device, name: string): void {
    this.devices.delete(device.name);
    this.aliases.set(device.name, device);
    this.aliases.delete(name);
    device.name = name;
    this.devices.set(name, device);
    this.sorted.devicesChanged();
    // Guesses compare the name; what was kept with one does not.
    this.state = {};
    this.absence = undefined;
  }

  /**
   * The series of a device that is to take in another one of the same metric and labels; it comes into being if need be, and
   * only within a transaction.
   */
  counterpart(device: Device, { metricName, unit, labelsKey: key }: SeriesEntry): SeriesEntry {
    const known = device.find(metricName, key);
    if (!known) return this.insertEntry(device, key, { metricName, unit });
    if (known.unit === null && unit !== null) this.setUnit(known, unit);
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
    return this.entryCount;
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
    this.absence = undefined;
    this.last = undefined;
    for (const entry of this.entries) if (entry) entry.next = undefined;
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
      this.sorted.devicesChanged();
    });
    return device;
  }

  private addSeries(device: Device, key: string, { metricName, unit: saidUnit }: Named): SeriesEntry {
    const unit = unitOf(metricName, saidUnit);
    const refusal = this.limit.take(device, metricName);
    if (refusal) throw new TooManySeriesError(refusal);
    this.undoes.push(() => this.limit.giveBack(device));
    return this.insertEntry(device, key, { metricName, unit });
  }

  private insertEntry(
    device: Device,
    key: string,
    { metricName, unit }: Pick<Series, 'metricName' | 'unit'>,
  ): SeriesEntry {
    const entry = this.newEntry(device, key, metricName, unit);
    this.undoes.push(() => this.drop(entry));
    this.tables.addSeries([entry]);
    return entry;
  }

  private newEntry(device: Device, key: string, metricName: string, unit: string | null): SeriesEntry {
    return this.hold(new SeriesEntry(this.tables.nextSeriesId(), device, metricName, this.labelSets.of(key), unit));
  }

  private setUnit(entry: SeriesEntry, unit: string): void {
    const before = entry.unit;
    this.tables.setUnit(entry.id, unit);
    this.noteUnit(entry, unit);
    this.undoes.push(() => this.noteUnit(entry, before));
  }

  private hold(entry: SeriesEntry): SeriesEntry {
    this.absence = undefined;
    if (!this.entries[entry.id]) this.entryCount += 1;
    this.entries[entry.id] = entry;
    this.slots.add(entry);
    this.latest.add(entry.id);
    this.sorted.add(entry);
    return entry;
  }

  private drop(entry: SeriesEntry): void {
    entry.device.drop(entry);
    this.forget(entry);
    this.sorted.drop(entry);
  }
}

const areInUnits = (entries: readonly SeriesEntry[], names: readonly NamedSeries[]): boolean =>
  names.every(({ unit }, at) => unit === undefined || unit === entries[at].unit);

/** The unit of a new series: what was said, or what the metric has by its name. */
const unitOf = (metricName: string, said: string | undefined): string | null =>
  said ?? metricDefinition(metricName)?.unit ?? null;
