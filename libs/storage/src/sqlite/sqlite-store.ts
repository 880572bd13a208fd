import {
  countOf,
  HOUR,
  isColumns,
  Slices,
  type DeviceSelector,
  type Sample,
  type SampleBatch,
  type Selector,
  type Series,
  type SeriesGroup,
  type TimeRange,
  type NamedSeries,
} from '@device-metrics/domain';
import type { Database } from 'better-sqlite3';
import { adoptNarrowRows } from './adopt-narrow-rows.js';
import { assertDiskGives, keepSchemaChecksum } from './assert-whole.js';
import { catalogueTables } from './catalogue-tables.js';
import { loadCatalogue } from './load-catalogue.js';
import { PieceTable } from './piece-table.js';
import { JournalRowWriter } from '../columnar/codec/journal-row.js';
import { DatabaseFiles } from './database-files.js';
import { DiskWatch } from './disk-watch.js';
import { DamagedTable, type DamagedSource } from './damaged-table.js';
import { DeviceMerges } from './device-merges.js';
import { Devices } from './devices.js';
import { ClockMarks } from './clock-marks.js';
import { ClockWatch } from '../columnar/clock-watch.js';
import { GroupCommit } from '../columnar/group-commit.js';
import { Heads } from '../columnar/heads.js';
import { hourOfChunk } from '../columnar/hour.js';
import { Journal } from './journal.js';
import { NewSeries } from '../columnar/new-series.js';
import { Queries } from '../columnar/queries.js';
import { RecentReadings } from '../columnar/recent-readings.js';
import { ENOUGH_READINGS } from '../columnar/journal-readings.js';
import { recoverHeads, remakeLatest } from './recover.js';
import { keepRowChecksums } from './row-checksum.js';
import { Retention, type RetentionTables } from '../columnar/retention.js';
import { shrinkFile } from './shrink-file.js';
import {
  StoreUnavailableError,
  TooManySeriesError,
  type DeviceDescription,
  type ReadOptions,
  type RefusedGroup,
  type SeriesLatest,
  type SeriesSamples,
  type SeriesSteps,
  type SeriesSummary,
  type StepQuery,
  type StoredDevice,
  type Store,
  type StoreHealth,
  type SummaryPart,
  type Tier,
} from '../store.js';
import { Sealer, type SealTables } from '../columnar/sealer.js';
import { SeriesLimit } from '../columnar/series-limit.js';
import { SeriesCatalogue, type KnownSeries, type SeriesOfSamples } from '../columnar/series-catalogue.js';
import type { Named } from '../columnar/series-entry.js';
import { eachGroup } from '../columnar/series-places.js';
import { assertStorable } from '../columnar/assert-storable.js';
import { asRefusal } from './refusal.js';
import { isUnreadable } from './unreadable.js';
import { DEFAULT_SETTINGS, RETENTION_INTERVAL, type StoreSettings } from '../columnar/store-settings.js';

/** How often it is looked whether the files are still those that were opened, and whether the clock has jumped, ms. */
const LOOK_AROUND = 1_000;

/** Samples that wait for their commit. */
interface Append {
  readonly samples: SampleBatch;
  /** Their series, where all of them were there as these came. */
  readonly known: KnownSeries | undefined;
}

/** While it is opened, others wait for no more than a word that the process lives, ms: to look for them more often takes its time as well. */
const OPENING = 20;

/** The store of the design: what comes goes to the journal and the heads, from there into chunks; see docs/storage.md. */
export class SqliteStore implements Store {
  private readonly settings: StoreSettings;
  private readonly catalogue: SeriesCatalogue;
  private readonly damaged: DamagedTable;
  private readonly journal: Journal;
  private readonly pieces: PieceTable;
  private readonly heads: Heads;
  private readonly readings: RecentReadings;
  private readonly sealer: Sealer;
  private readonly retention: Retention;
  private readonly queries: Queries;
  private readonly merges: DeviceMerges;
  private readonly deviceTable: Devices;
  private readonly commits = new GroupCommit<Append>(
    (calls) => this.commit(calls),
    (error) => error instanceof TooManySeriesError,
  );
  private readonly newSeries: NewSeries;
  private readonly row = new JournalRowWriter();
  private readonly select1;
  /** Made once: each transaction that is made costs as much as what runs in it. */
  private readonly inTransaction: (act: () => void) => void;
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly clock: ClockWatch;
  private readonly clockMarks: ClockMarks;
  private saidDoubt: string | undefined;
  private readonly files: DatabaseFiles;
  private readonly disk: DiskWatch;
  /** Why nothing may be written. */
  private lost: string | undefined;
  private closed = false;

  /**
   * Opens the store on a migrated database: moves over what the first store left and makes the heads anew. What cannot be read is
   * damage where the disk gives back the whole file, and it cannot be read a second time either.
   *
   * @throws SqliteError where the disk does not.
   */
  static async open(db: Database, settings: Partial<StoreSettings> = {}): Promise<SqliteStore> {
    const all = { ...DEFAULT_SETTINGS, ...settings };
    try {
      return await SqliteStore.read(db, all, true);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      await assertDiskGives(db);
      return SqliteStore.read(db, all, false);
    }
  }

  private static async read(db: Database, settings: StoreSettings, isDoubted: boolean): Promise<SqliteStore> {
    const store = new SqliteStore(db, settings, isDoubted);
    keepRowChecksums(db);
    const slices = new Slices(OPENING);
    await loadCatalogue(db, store.catalogue, store.damaged, store.settings.now(), slices);
    await store.catalogue.sorted.sort(slices);
    await adoptNarrowRows(db, store.catalogue, store.pieces);
    keepSchemaChecksum(db);
    await store.recover(slices);
    store.damaged.isDoubted = false;
    // Before samples come by the time of a clock that may be wrong.
    store.doubt();
    store.startTimers();
    return store;
  }

  private constructor(
    private readonly db: Database,
    settings: StoreSettings,
    isDoubted: boolean,
  ) {
    const { now } = settings;
    this.settings = settings;
    this.files = new DatabaseFiles(db, settings.onProblem);
    this.clockMarks = new ClockMarks(db);
    this.disk = new DiskWatch(db.name, () => this.clockMarks.keep(this.clock.mark()), settings.onProblem);
    this.clock = new ClockWatch(now, this.clockMarks.last());
    this.catalogue = new SeriesCatalogue(catalogueTables(db), new SeriesLimit(settings, now));
    this.damaged = new DamagedTable(db, settings.onProblem, isDoubted);
    this.journal = new Journal(db, (error) => this.noteDamage('journal', 0, error));
    this.pieces = new PieceTable(db, this.damaged, now);
    this.heads = new Heads(this.catalogue, settings.maxHeadSamples);
    this.readings = new RecentReadings(this.catalogue);
    this.sealer = new Sealer(this.catalogue, this.heads, this.sealTables(), settings, this.readings);
    this.retention = new Retention(this.catalogue, this.heads, this.retentionTables(), settings, now);
    this.queries = new Queries(this.catalogue, this.heads, this.pieces);
    const { maxSeriesPerDevice } = settings;
    this.merges = new DeviceMerges(db, this.catalogue, this.heads, this.pieces, this.sealer, maxSeriesPerDevice);
    this.deviceTable = new Devices(db, this.catalogue, this.heads, this.pieces, this.sealer, this.merges);
    this.newSeries = new NewSeries(this.catalogue, (admitted) => this.makeSeries(admitted));
    this.select1 = db.prepare('SELECT 1');
    this.inTransaction = db.transaction((act: () => void) => act());
  }

  async append(samples: SampleBatch): Promise<void> {
    this.assertOpen();
    this.assertThere();
    if (countOf(samples) === 0) return;
    assertStorable(samples, this.oldestTimestamp());
    if (!this.sealer.hasRoom()) await this.makeRoom();
    let known = this.catalogue.knownSeriesOf(samples);
    const preparing = known ? undefined : this.newSeries.prepare(samples);
    if (preparing) {
      await preparing;
      this.assertOpen();
      known = this.catalogue.knownSeriesOf(samples);
    }
    await this.commits.add({ samples, known });
  }

  refusedGroups(samples: SampleBatch, ends: ArrayLike<number>): Promise<RefusedGroup[]> {
    return this.catalogue.admission.refusedGroups(samples, ends);
  }

  oldestTimestamp(): number {
    return this.retention.oldestTimestamp(this.trustedNow());
  }

  now(): number {
    return this.settings.now();
  }

  trustedNow(): number {
    return this.clock.trustedNow();
  }

  unitOf(sample: Pick<Sample, 'deviceName' | 'metricName' | 'labels'>): string | null | undefined {
    return this.catalogue.unitOf(sample);
  }

  hasUnits(group: SeriesGroup): boolean {
    return this.catalogue.hasUnits(group);
  }

  async seriesOf(names: readonly NamedSeries[]): Promise<(Series | undefined)[]> {
    this.assertOpen();
    return names.map((one) => this.catalogue.knownEntryOfNamed(one)?.series);
  }

  async findSeries(selector: Selector): Promise<readonly Series[]> {
    this.assertOpen();
    return this.catalogue.sorted.describe(selector);
  }

  async devices(selector: DeviceSelector = {}): Promise<readonly StoredDevice[]> {
    this.assertOpen();
    return this.deviceTable.select(selector);
  }

  async recentReadings(devices: readonly Pick<StoredDevice, 'name'>[]): Promise<number[][]> {
    this.assertOpen();
    const found: number[][] = [];
    const slices = new Slices();
    for (const { name } of devices) {
      const device = this.catalogue.device(name);
      const read = (): number[] => (device ? this.readings.of(device, this.heads.ofDevice(device.id)) : []);
      let times = read();
      if (device && times.length < ENOUGH_READINGS && this.readings.seriesOf(device.id) === undefined) {
        this.findReadings(device.id);
        times = read();
      }
      found.push(times);
      // One with very many samples or series takes a millisecond.
      if (slices.isOver()) await slices.next();
    }
    return found;
  }

  /** After a start, where the journal has few: those of the part that was written last. */
  private findReadings(deviceId: number): void {
    const { pieces, readings } = this;
    const part = pieces.lastPart(deviceId);
    if (part?.raw !== 1) return;
    let [most, of] = [0, 0];
    pieces.summaries(part, (id, { count }) => {
      if (count > most) [most, of] = [count, id];
    });
    const column = pieces.columns(part, new Set([of])).get(of);
    if (column) readings.note(deviceId, of, hourOfChunk(part.id) * HOUR, column.times);
  }

  async device(name: string): Promise<StoredDevice | undefined> {
    this.assertOpen();
    return this.deviceTable.get(name);
  }

  async describeDevice(
    name: string,
    change: (before: DeviceDescription) => Partial<DeviceDescription>,
  ): Promise<StoredDevice | undefined> {
    this.assertOpen();
    return this.writing(() => this.deviceTable.describe(name, change));
  }

  async renameDevice(name: string, newName: string): Promise<StoredDevice | undefined> {
    this.assertOpen();
    return this.writing(() => this.deviceTable.rename(name, newName));
  }

  async mergeDevices(
    name: string,
    into: string,
    describe: (source: DeviceDescription, target: DeviceDescription) => DeviceDescription,
  ): Promise<StoredDevice | undefined> {
    this.assertOpen();
    const [source, target] = [this.catalogue.device(name), this.catalogue.device(into)];
    try {
      return await this.writing(() => this.deviceTable.merge(name, into, describe));
    } finally {
      for (const one of [source, target]) if (one) this.readings.forget(one.id);
    }
  }

  async deleteSeries(deviceName: string, seriesId: number): Promise<boolean> {
    this.assertOpen();
    const entry = this.catalogue.get(seriesId);
    if (entry?.device.name !== deviceName) return false;
    this.readings.forget(entry.device.id);
    return this.writing(() => this.deviceTable.deleteSeries(seriesId));
  }

  async deleteDevice(name: string): Promise<boolean> {
    this.assertOpen();
    const device = this.catalogue.device(name);
    if (device) this.readings.forget(device.id);
    return this.writing(() => this.deviceTable.delete(name));
  }

  async *readSamples(
    series: readonly Series[],
    range: TimeRange,
    options: ReadOptions = {},
  ): AsyncGenerator<SeriesSamples> {
    this.assertOpen();
    yield* this.queries.samples(series, range, options);
  }

  async tiers(deviceName: string, range: TimeRange): Promise<readonly Tier[]> {
    this.assertOpen();
    return this.queries.tiers(deviceName, range);
  }

  async summarize(series: readonly Series[], range: TimeRange): Promise<SeriesSummary[]> {
    this.assertOpen();
    return this.queries.summaries(series, range);
  }

  async *summarizeInParts(series: readonly Series[], range: TimeRange): AsyncGenerator<SummaryPart> {
    this.assertOpen();
    yield* this.queries.summariesInParts(series, range);
  }

  readSteps(series: readonly Series[], query: StepQuery): AsyncGenerator<SeriesSteps> {
    this.assertOpen();
    return this.queries.steps(series, query);
  }

  async latest(series: readonly Series[]): Promise<SeriesLatest[]> {
    this.assertOpen();
    return this.queries.latest(series, this.retention.oldestKept());
  }

  async maintain(): Promise<void> {
    this.assertOpen();
    await this.writing(async () => {
      await this.sealer.runAnew();
      await this.retention.run();
      await this.merges.finish();
      await this.deviceTable.finishDeletions();
      await this.deviceTable.setAsideOrphans();
    });
  }

  async backup(path: string): Promise<void> {
    this.assertOpen();
    await this.writing(() => this.db.backup(path));
  }

  async health(): Promise<StoreHealth> {
    this.assertOpen();
    const pragma = (name: string): number => this.db.pragma(name, { simple: true }) as number;
    const pageSize = pragma('page_size');
    return {
      devices: this.catalogue.deviceCount,
      series: this.catalogue.seriesCount,
      journalRows: this.journal.rows,
      journalBytes: this.journal.bytes,
      heads: this.heads.count,
      headSamples: this.heads.size,
      damaged: this.damaged.count,
      bytes: pragma('page_count') * pageSize,
      freeBytes: pragma('freelist_count') * pageSize,
    };
  }

  /** The file is this one's alone. */
  readonly processes = 1;

  async holds(): Promise<boolean> {
    return true;
  }

  async ping(): Promise<void> {
    this.assertOpen();
    this.assertThere();
    if (this.disk.failure !== undefined) throw new StoreUnavailableError(this.disk.failure);
    this.select1.get();
  }

  async close(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.commits.flush();
    this.closed = true;
    await this.merges.stop();
    await this.sealer.stop();
    await this.retention.stop();
  }

  /** Writes the waiting calls to the journal as one row, and then to the heads. */
  private commit(calls: readonly Append[]): void {
    const series: SeriesOfSamples[] = [];
    let rowId = 0;
    let bytes = 0;
    // Mostly the row is all that is written: one statement is a transaction by itself, for less.
    const isRowOnly = !this.journal.notesIds && calls.every(({ known }) => known && this.catalogue.isStill(known));
    try {
      this.transaction(() => {
        for (const call of calls) series.push(this.addToRow(call));
        rowId = this.journal.nextId;
        const row = this.row.lend(rowId);
        bytes = row.length;
        this.journal.write(row);
      }, isRowOnly);
    } catch (error) {
      this.row.clear();
      throw error;
    }
    this.journal.count(rowId, bytes);
    this.addToHeads(calls, series, rowId);
  }

  /** Not flushed to the disk: the commit of their samples comes behind them in the same file, and is. */
  private makeSeries(admitted: readonly Named[]): void {
    this.db.pragma('synchronous = NORMAL');
    try {
      this.transaction(() => this.catalogue.make(admitted));
    } finally {
      this.db.pragma('synchronous = FULL');
    }
  }

  /**
   * A transaction that may make devices and series.
   *
   * @param isOneStatement whether `act` runs one statement, and so is one already.
   */
  private transaction(act: () => void, isOneStatement = false): void {
    try {
      if (isOneStatement) act();
      else this.inTransaction(act);
    } catch (error) {
      this.catalogue.undo();
      const refusal = asRefusal(error, this.db.name);
      if (refusal instanceof StoreUnavailableError) this.disk.noteFailure(refusal.message);
      throw refusal;
    }
    this.catalogue.keep();
  }

  /** Gives the series of the samples. */
  private addToRow({ samples, known }: Append): SeriesOfSamples {
    const { catalogue, row } = this;
    row.reserve(countOf(samples));
    if (isColumns(samples)) {
      const { timestamps, values } = samples;
      const its: SeriesOfSamples =
        known && catalogue.isStill(known)
          ? known
          : { entries: samples.series.map((one) => catalogue.entryOfNamed(one)) };
      if (its.groups) eachGroup(its.groups, ({ ids }, at) => row.addIds(ids, at, timestamps, values));
      else row.addColumns(its.entries, 0, timestamps, values);
      return its;
    }
    const entries = samples.map((sample) => {
      const entry = catalogue.entryOf(sample);
      row.add(entry.id, sample.timestamp, sample.value);
      return entry;
    });
    return { entries };
  }

  private addToHeads(calls: readonly Append[], series: readonly SeriesOfSamples[], rowId: number): void {
    const { heads } = this;
    const now = this.settings.now();
    for (const [index, { samples }] of calls.entries()) {
      const { entries = [], groups } = series[index];
      if (!isColumns(samples)) {
        samples.forEach(({ timestamp, value }, at) => heads.push(entries[at], timestamp, value, rowId, now));
      } else if (groups) eachGroup(groups, (places, at) => heads.pushPlaces(places, at, samples, rowId, now));
      else heads.pushColumns(entries, 0, samples, rowId, now);
    }
    if (this.sealer.isPressed()) this.inBackground(this.sealer.run());
  }

  private async makeRoom(): Promise<void> {
    await this.writing(() => this.sealer.makeRoom());
    this.assertOpen();
  }

  /** @throws StoreFullError where there is no room for what `act` writes, StoreUnavailableError where the disk fails. */
  private async writing<T>(act: () => T | Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      throw asRefusal(error, this.db.name);
    }
  }

  private sealTables(): SealTables {
    const { journal, pieces } = this;
    return {
      pieces,
      seals: () => true,
      write: (rows) => pieces.write(rows),
      isDamage: isUnreadable,
      notePart: (id, error) => this.noteDamage('part', id, error),
      trimJournal: (needed) => journal.trim(needed),
    };
  }

  private retentionTables(): RetentionTables {
    const { db, pieces } = this;
    return {
      seals: () => true,
      dropData: (deviceId, from, to, limit) => pieces.dropData(deviceId, from, to, limit),
      delete: (deviceId, from, to, limit) => pieces.delete(deviceId, from, to, limit),
      hoursWithParts: (deviceId) => pieces.hoursWithParts(deviceId),
      isClosed: (id) => pieces.isClosed(id),
      shrink: () => shrinkFile(db),
    };
  }

  private noteDamage(source: DamagedSource, id: number, error: unknown): void {
    if (!isUnreadable(error)) throw error;
    this.damaged.note(source, id, error, this.settings.now());
  }

  private async recover(slices: Slices): Promise<void> {
    const { db, catalogue, heads, journal, pieces, damaged, readings } = this;
    await recoverHeads(db, catalogue, heads, journal, pieces, damaged, readings, this.settings.now(), slices);
    journal.assertWritable();
    await remakeLatest(catalogue, pieces, slices);
  }

  private startTimers(): void {
    const { sealInterval } = this.settings;
    if (sealInterval === 0) return;
    this.inBackground(this.merges.finish());
    const every = (interval: number, act: () => Promise<void>): void => {
      this.timers.push(setInterval(() => this.inBackground(act()), interval).unref());
    };
    every(sealInterval, () => this.sealer.run());
    every(RETENTION_INTERVAL, () => this.upkeep());
    every(LOOK_AROUND, async () => this.lookAround());
  }

  /** As `maintain`, and deletes nothing while the clock is in doubt. */
  private async upkeep(): Promise<void> {
    if (this.sayDoubt() === undefined) await this.maintain();
    else await this.writing(() => this.sealer.run());
  }

  private sayDoubt(): string | undefined {
    const doubt = this.doubt();
    if (doubt !== undefined && doubt !== this.saidDoubt) this.settings.onProblem(doubt);
    this.saidDoubt = doubt;
    return doubt;
  }

  private doubt(): string | undefined {
    const doubt = this.clock.doubt(this.catalogue.latest.newest());
    try {
      this.clockMarks.keep(this.clock.mark());
    } catch {
      // As on a full disk: the next run knows of an earlier time, and doubts the more.
    }
    return doubt;
  }

  private inBackground(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!this.closed) this.settings.onProblem(asRefusal(error, this.db.name));
    });
  }

  private assertOpen(): void {
    if (this.closed) throw new Error('the sample store is closed');
  }

  /** @throws StoreUnavailableError where what is written would go to a file that is not the database any more. */
  private assertThere(): void {
    if (this.lost !== undefined) throw new StoreUnavailableError(this.lost);
  }

  private lookAround(): void {
    if (this.closed) return;
    // Soon: until then samples that are not too old would be.
    if (this.clock.hasJumped()) this.sayDoubt();
    this.disk.look();
    const lost = this.files.look();
    if (lost !== undefined && this.lost === undefined) this.settings.onProblem(`nothing is written any more: ${lost}`);
    if (lost === undefined && this.lost !== undefined) this.settings.onProblem(`${this.db.name} is there again`);
    this.lost = lost;
  }
}
