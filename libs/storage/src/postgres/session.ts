import {
  HOUR,
  countOf,
  isColumns,
  Slices,
  type NamedSeries,
  type Sample,
  type SampleBatch,
  type Series,
} from '@device-metrics/domain';
import { RowMemory, type RowColumns } from '../columnar/codec/journal-row.js';
import { Heads } from '../columnar/heads.js';
import type { Head } from '../columnar/head.js';
import { chunkId, deviceOfChunk, hourOf } from '../columnar/hour.js';
import type { PieceWrite } from '../columnar/pieces.js';
import { Queries } from '../columnar/queries.js';
import { Retention } from '../columnar/retention.js';
import { Sealer } from '../columnar/sealer.js';
import { SeriesCatalogue, type CatalogueTables, type SeriesOfSamples } from '../columnar/series-catalogue.js';
import type { Device, SeriesEntry } from '../columnar/series-entry.js';
import { eachGroup, type DeviceRun, type SeriesPlaces } from '../columnar/series-places.js';
import { SeriesLimit } from '../columnar/series-limit.js';
import { SingleRun } from '../columnar/single-run.js';
import type { StoreSettings } from '../columnar/store-settings.js';
import { StoreUnavailableError, type OthersSamples } from '../store.js';
import { CatalogueRows, type NewSeries } from './catalogue-rows.js';
import { DamagedRows } from './damaged-rows.js';
import type { Database, Transaction } from './database.js';
import type { DatabaseClock } from './database-clock.js';
import { PgDeviceMerges } from './device-merges.js';
import { Leases, SHARDS, shardOf } from './leases.js';
import { OthersRows, Turn, type FoundSeries, type ReadRow, type Unread } from './others-rows.js';
import { OwnSamplesPool, type OwnSamples } from './own-rows.js';
import { PgPieces } from './pieces.js';
import { PositionLog, type Through } from './position-log.js';
import { Rounds } from './rounds.js';
import { Writer } from './writer.js';

/** How long journal rows stay at least, ms: who has not read the others' for a while reads all anew. */
export const JOURNAL_GRACE = 30_000;

/** How long rows of others lie unread at most while nobody asks, ms; well within the time after which all is read anew. */
const READ_WITHIN = 10_000;
/** And how many: that many are read in some tenths of a second. */
const MOST_UNREAD = 512;

/** Heads that the database is asked for at a time, whether they are sealed. */
const MOST_ASKED = 4_096;

/** Own samples that wait to be taken in, at most. */
export const MOST_PENDING = 100_000;

/** A row that this process has written itself. */
export interface OwnRow {
  readonly writer: number;
  readonly number: number;
  readonly at: number;
  /** By the clock of this process, Unix milliseconds. */
  readonly takenAt: number;
  readonly samples: OwnSamples;
  /** That the catalogue had. */
  readonly version: number;
}

/** Hears of samples that another process took, and how long ago, ms. */
export type Hear = (samples: OthersSamples, age: number) => void;

/** Whether a sample of a row is sealed. */
type IsSealed = (device: Device, timestamp: number, row: ReadRow) => boolean;

const WRITES_NOTHING: CatalogueTables = {
  addDevice: () => fail(),
  nextSeriesId: () => fail(),
  addSeries: () => fail(),
  setUnit: () => fail(),
  lastSeriesId: () => Infinity,
};

function fail(): never {
  throw new Error('series are made before their samples are written');
}

/**
 * What this process knows of the database: all devices and series, and the samples of all processes that are not sealed yet.
 * It is made anew where the process may have missed something.
 */
export class Session {
  readonly catalogue: SeriesCatalogue;
  readonly heads: Heads;
  readonly log = new PositionLog();
  readonly rows: CatalogueRows;
  readonly damaged: DamagedRows;
  readonly pieces: PgPieces;
  readonly sealer: Sealer;
  readonly retention: Retention;
  readonly queries: Queries;
  readonly merges: PgDeviceMerges;
  writer!: Writer;
  leases!: Leases;
  /** Of the catalogue. */
  version = 0;
  /** Samples of own rows that are not in heads yet. */
  pendingSamples = 0;
  private pending: OwnRow[] = [];
  private readonly others: OthersRows;
  /** Memory for the samples of others' rows. */
  private readonly memory = new RowMemory();
  /** Memory for the samples of own rows. */
  readonly pool = new OwnSamplesPool();
  private readonly rounds = new Rounds(() => this.readOthers());
  /** Of the journal, whose room is still to be given back. */
  private deletedRows = 0;
  // Two of them at a time would wait for each other's rows.
  private readonly upkeep = new SingleRun(() => this.keepUp());
  private readonly trimming = new SingleRun(() => this.trimSealed());
  /** When the rows of the others were read the last time, ms of a clock that nobody sets. */
  private readAt = performance.now();
  /** Rows of others were gone before they were read. */
  private hasMissed = false;
  /** The place, among heads that others may have sealed, of the one that is asked for next. */
  private askedNext = 0;

  static async begin(
    database: Database,
    settings: StoreSettings,
    hear: Hear,
    journalGrace: number,
    clock: DatabaseClock,
  ): Promise<Session> {
    const session = new Session(database, settings, hear, journalGrace, clock);
    session.version = await session.rows.version();
    await session.rows.load(session.catalogue);
    await session.damaged.load();
    await session.register();
    await session.recover();
    await session.balance();
    return session;
  }

  private constructor(
    private readonly database: Database,
    private readonly settings: StoreSettings,
    private readonly hear: Hear,
    private readonly journalGrace: number,
    private readonly clock: DatabaseClock,
  ) {
    const { now } = settings;
    this.rows = new CatalogueRows(database);
    this.catalogue = new SeriesCatalogue(WRITES_NOTHING, new SeriesLimit(settings, now));
    this.damaged = new DamagedRows(database, now, settings.onProblem);
    this.others = new OthersRows(database, this.damaged);
    this.pieces = new PgPieces(database, this.damaged, now, settings.onProblem);
    this.heads = new Heads(this.catalogue, settings.maxHeadSamples);
    const seals = (deviceId: number): boolean => this.leases.shards.has(shardOf(deviceId));
    this.sealer = new Sealer(
      this.catalogue,
      this.heads,
      {
        pieces: this.pieces,
        seals,
        write: (pieces) => this.write(pieces),
        isDamage: () => false,
        notePart: (_id, error) => settings.onProblem(error),
        trimJournal: () => false,
      },
      settings,
    );
    const { pieces } = this;
    const retentionTables = {
      seals,
      dropData: (id: number, from: number, to: number) => pieces.dropData(id, from, to),
      delete: (id: number, from: number, to: number) => pieces.delete(id, from, to),
      hoursWithParts: (id: number) => pieces.partIndex.hoursOf(id),
      isClosed: (id: number) => pieces.isClosed(id),
      shrink: () => false,
    };
    this.retention = new Retention(this.catalogue, this.heads, retentionTables, settings, now);
    this.queries = new Queries(this.catalogue, this.heads, pieces);
    this.merges = new PgDeviceMerges(database, this, settings.maxSeriesPerDevice);
  }

  /** Whether rows may be gone from the journal that this process has not read. */
  get isBehind(): boolean {
    return this.hasMissed || performance.now() - this.readAt > JOURNAL_GRACE * (2 / 3);
  }

  /** Gets a lease to write with, in place of the one before; what is under way with that is written before, or never. */
  async register(): Promise<void> {
    const before = this.writer as Writer | undefined;
    if (before) {
      await before.end();
      await this.leases.releaseAll();
    }
    this.writer = await Writer.register(this.database, this.rows, this.clock);
    this.leases = new Leases(this.database, this.writer.id);
  }

  /** Takes in what all processes have committed before the call. */
  catchUp(): Promise<void> {
    return this.rounds.run();
  }

  /**
   * Takes in what there is once it has become much or has waited for long: rows that are read together cost a fraction of what they
   * cost one by one.
   */
  async glance(): Promise<void> {
    const { unread, version } = await this.look();
    const rows = unread.reduce((sum, { after, last }) => sum + last - after, this.pending.length);
    const isMuch = rows > MOST_UNREAD || this.pendingSamples > MOST_PENDING / 2;
    const isOld = performance.now() - this.readAt > READ_WITHIN;
    if (isMuch || isOld || version !== this.version) await this.catchUp();
  }

  /** Takes note of an own row that is on disk. */
  wrote(row: OwnRow): void {
    this.pending.push(row);
    this.pendingSamples += row.samples.length;
  }

  /**
   * The series of samples, those that were not there made.
   *
   * @throws TooManySeriesError
   */
  async seriesOf(batch: SampleBatch): Promise<SeriesOfSamples> {
    const known = this.catalogue.knownSeriesOf(batch);
    if (known) return known;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const missing = new Map<string, NewSeries>();
      const units = new Map<SeriesEntry, string>();
      const entries = new Array<SeriesEntry>(countOf(batch));
      const add = (at: number, one: Sample | NamedSeries, entry: SeriesEntry | undefined): void => {
        if (!entry) {
          const labels = Object.entries(one.labels).sort(([a], [b]) => (a < b ? -1 : 1));
          missing.set(JSON.stringify([one.deviceName, one.metricName, labels]), one);
          return;
        }
        entries[at] = entry;
        if (one.unit !== undefined && entry.unit === null && !units.has(entry)) units.set(entry, one.unit);
      };
      if (isColumns(batch)) {
        for (let at = 0; at < entries.length; at += 1) {
          add(at, batch.series[at], this.catalogue.knownEntryOfNamed(batch.series[at]));
        }
      } else for (let at = 0; at < entries.length; at += 1) add(at, batch[at], this.catalogue.knownEntryOf(batch[at]));
      if (units.size > 0) await this.saveUnits(units);
      if (missing.size === 0) return { entries };
      const wanted = [...missing.values()];
      this.catalogue.admission.admit(wanted);
      await this.rows.make(this.catalogue, wanted);
    }
    throw new StoreUnavailableError('devices are being deleted while samples come for them');
  }

  /** Renews leases, and lets go of what others have sealed; false where the lease to write has run out. */
  async beat(): Promise<boolean> {
    if ((await this.writer.renew()) !== 'held') return false;
    await this.balance();
    await this.dropSealed();
    this.merges.run().catch(this.settings.onProblem);
    return true;
  }

  /** Seals all that is due and deletes what is too old, of the devices that are this process's. */
  maintain(): Promise<void> {
    return this.upkeep.runAnew();
  }

  private async keepUp(): Promise<void> {
    await this.catchUp();
    await this.sealer.runAnew();
    await this.retention.run();
    await this.merges.finish();
    if (this.leases.shards.has(0)) {
      await this.database.run('DELETE FROM series s WHERE NOT EXISTS (SELECT 1 FROM device WHERE id = s.device_id)');
    }
    await this.trim();
    if (this.deletedRows === 0) return;
    this.deletedRows = 0;
    await this.database.giveBackRoom('journal');
  }

  /** Lets go of journal rows that are sealed. */
  trim(): Promise<void> {
    return this.trimming.run();
  }

  private async trimSealed(): Promise<void> {
    const through = new Map<number, Through>();
    for (const shard of this.leases.shards) through.set(shard, this.log.throughBefore(this.firstOpen(shard)));
    await this.leases.publish(through);
    if (this.leases.shards.size > 0) this.deletedRows += await this.leases.trim(this.journalGrace, this.log);
  }

  async end(): Promise<void> {
    await this.merges.stop();
    await this.sealer.stop();
    await this.retention.stop();
    await this.rounds.idle();
  }

  private firstOpen(shard: number): number {
    for (const head of this.heads.all()) if (shardOf(head.device.id) === shard) return head.firstRow;
    return Infinity;
  }

  private async balance(): Promise<void> {
    await this.leases.balance(async (shards) => {
      await this.pieces.loadParts(shards, shardOf, SHARDS);
      await this.catchUp();
      await this.dropHeads([...this.heads.all()].filter(({ device }) => shards.includes(shardOf(device.id))));
    });
  }

  /** Heads whose samples another process has sealed: of old data there may be very many, so that each beat asks for some. */
  private async dropSealed(): Promise<void> {
    const now = this.settings.now();
    const isDue = (head: Head): boolean => head.frozen || (head.hour + 1) * HOUR <= now;
    const due = [...this.heads.all()].filter((head) => !this.leases.shards.has(shardOf(head.device.id)) && isDue(head));
    let from = this.askedNext < due.length ? this.askedNext : 0;
    let isMostGone = true;
    for (this.askedNext = from; isMostGone && from < due.length; from += MOST_ASKED) {
      const some = due.slice(from, from + MOST_ASKED);
      const gone = await this.dropHeads(some);
      this.askedNext += some.length - gone;
      isMostGone = gone > some.length / 2;
    }
  }

  /** Gives how many went. */
  private async dropHeads(heads: readonly Head[]): Promise<number> {
    if (heads.length === 0) return 0;
    const idOf = (head: Head): number => chunkId(head.device.id, head.hour);
    const sealed = await this.pieces.through([...new Set(heads.map(idOf))]);
    const gone = heads.filter((head) => this.log.isCovered(head.firstRow, head.lastRow, sealed.get(idOf(head)) ?? {}));
    for (const head of gone) this.heads.remove(head);
    return gone.length;
  }

  private async write(pieces: readonly PieceWrite[]): Promise<void> {
    if (pieces.length === 0) return;
    // What they are made of may have been damaged, and they take its place.
    await this.damaged.settled();
    await this.database.transaction(async (transaction) => {
      await this.assertSeals(
        transaction,
        pieces.map(({ id }) => deviceOfChunk(id)),
      );
      await this.pieces.write(transaction, pieces, ({ sealedThrough }) => this.log.throughAt(sealedThrough));
    });
    this.pieces.written(pieces);
  }

  /** @throws StoreUnavailableError where another process seals one of the devices by now. */
  async assertSeals(transaction: Transaction, deviceIds: readonly number[]): Promise<void> {
    const names = this.leases.namesOf(deviceIds);
    const held = await transaction.rows(Leases.CHECK, [names, this.writer.id]);
    if (held.length < names.length) throw new StoreUnavailableError('another process seals these devices now');
  }

  /** Another process may have said another unit first: which one it is, all learn from the catalogue. */
  private async saveUnits(units: ReadonlyMap<SeriesEntry, string>): Promise<void> {
    await this.database.transaction(async (transaction) => {
      for (const [{ id, device }, unit] of units) {
        await transaction.run('UPDATE series SET unit = $3 WHERE device_id = $1 AND id = $2 AND unit IS NULL', [
          device.id,
          id,
          unit,
        ]);
        await this.rows.note(transaction, { unitOf: id });
      }
    });
    await this.catchUp();
  }

  private async recover(): Promise<void> {
    await this.pieces.summariesOfParts((id, { last, lastTime }) => {
      if (this.catalogue.get(id)) this.catalogue.latest.note(id, lastTime, last);
    });
    const { unread, now } = await this.look();
    const sealed = new Map<number, Through>();
    await this.read(unread, [], now, [], async (rows) => {
      const ids = new Set<number>();
      for (const { row, series } of rows) {
        const timestamps = row?.columns(this.memory).timestamps ?? [];
        for (const { device, from, to } of series?.runs ?? []) {
          for (let at = from; at < to; at += 1) {
            const id = chunkId(device.id, hourOf(timestamps[at]));
            if (!sealed.has(id)) ids.add(id);
          }
        }
      }
      for (const [id, through] of await this.pieces.through([...ids])) sealed.set(id, through);
      return (device, timestamp, { writer, number }) =>
        number <= (sealed.get(chunkId(device.id, hourOf(timestamp)))?.[writer] ?? 0);
    });
    this.readAt = performance.now();
  }

  private async readOthers(): Promise<void> {
    const began = performance.now();
    // Own rows that were acknowledged before others are looked at: whatever those had before them is seen then.
    const own = this.pending;
    this.pending = [];
    try {
      const { unread, version, now, rows } = await this.look(own);
      if (version !== this.version) {
        this.version = await this.rows.follow(this.catalogue, this.version, (deviceId) => {
          this.heads.dropDevice(deviceId);
          this.pieces.forget(deviceId);
        });
        this.merges.run().catch(this.settings.onProblem);
      }
      await this.read(unread, own, now, rows);
      this.readAt = began;
    } finally {
      const left = own.filter(({ writer, number }) => number > this.log.seenOf(writer));
      if (left.length > 0) this.pending = [...left, ...this.pending];
    }
  }

  /**
   * Which rows there are that this process has not read, the version of the catalogue, and the database's clock.
   *
   * @param own rows that are to be taken in with them: then those come at once that are few.
   */
  private async look(
    own?: readonly OwnRow[],
  ): Promise<{ unread: Unread[]; version: number; now: number; rows: readonly ReadRow[] }> {
    const known = new Map<number, number>([[this.writer.id, Infinity]]);
    for (const { writer, number } of own ?? []) known.set(writer, Math.max(number, known.get(writer) ?? 0));
    const seenOf = (writer: number): number => Math.max(this.log.seenOf(writer), known.get(writer) ?? 0);
    const { writers, rows } = await this.others.look(own && seenOf);
    this.leases.living = Math.max(1, writers.filter(({ lives }) => lives).length);
    const unread = writers.flatMap(({ id: writer, last }) => {
      const after = seenOf(writer);
      // It may have got another writer meanwhile.
      return writer !== this.writer.id && last > after ? [{ writer, after, last }] : [];
    });
    return { unread, version: writers[0]?.version ?? this.version, now: writers[0]?.now ?? 0, rows };
  }

  /** Takes in rows of others and own ones in the order of the database's clock. */
  private async read(
    unread: readonly Unread[],
    own: readonly OwnRow[],
    now: number,
    first: readonly ReadRow[],
    prepare?: (rows: readonly ReadRow[]) => Promise<IsSealed>,
  ): Promise<void> {
    const slices = new Slices();
    const turn = new Turn(unread, prepare !== undefined);
    let next = 0;
    const takeOwn = (before: number): void => {
      for (; next < own.length && own[next].at < before; next += 1) this.takeOwn(own[next]);
    };
    for await (const rows of this.others.pages(unread, first)) {
      await this.findEntries(rows);
      const isSealed = await prepare?.(rows);
      for (const row of rows) {
        takeOwn(row.at);
        this.expectTurn(turn.isOf(row));
        const samples = row.row?.columns(this.memory);
        this.takeOther(row, samples, isSealed);
        if (!prepare && samples) this.hear(this.samplesOf(row, samples), Math.max(0, (now - row.at) / 1_000));
        if (slices.isOver()) await slices.next();
      }
    }
    takeOwn(Infinity);
    this.expectTurn(turn.isOver());
    if (this.sealer.isPressed()) this.sealer.run().catch(this.settings.onProblem);
  }

  /** @throws StoreUnavailableError where a row is missing: it is on its way, or all has to be read anew. */
  private expectTurn(isRight: boolean): void {
    if (isRight) return;
    this.hasMissed = true;
    throw new StoreUnavailableError('journal rows of another process are missing; all is read anew');
  }

  /** Finds the series of rows; those that others have made come from the database. */
  private async findEntries(rows: readonly ReadRow[]): Promise<void> {
    const unknown = new Set<number>();
    for (const { series } of rows) if (series) this.findSeries(series, unknown);
    if (unknown.size === 0) return;
    await this.rows.loadSeries(this.catalogue, [...unknown]);
    for (const { series } of rows) if (series) this.findSeries(series);
  }

  /** Where the series of a row are, once for all rows that have the same ones. */
  private findSeries(series: FoundSeries, unknown?: Set<number>): void {
    if (series.version === this.version && series.isWhole) return;
    const { catalogue } = this;
    const { ids, slots } = series;
    const runs: DeviceRun[] = [];
    series.version = this.version;
    series.isWhole = true;
    series.described = undefined;
    catalogue.slots.place(ids, slots, (deviceId, from, to) => {
      const device = catalogue.deviceById(deviceId);
      if (device) return void runs.push({ device, from, to });
      series.isWhole = false;
      for (let at = from; at < to; at += 1) unknown?.add(ids[at]);
    });
    series.runs = runs;
  }

  private takeOwn({ writer, number, takenAt, samples, version }: OwnRow): void {
    const position = this.log.add(writer, number);
    eachGroup(samples.places, (places, start) => {
      if (version === this.version) this.heads.pushPlaces(places, start, samples, position, takenAt);
      else this.takeWhatIsThere(places, start, samples, position, takenAt);
    });
    this.pendingSamples -= samples.length;
    this.pool.giveBack(samples);
  }

  /** Without samples whose series have been deleted since, or have gone to another device with all that they had. */
  private takeWhatIsThere(
    { ids, slots, runs }: SeriesPlaces,
    start: number,
    { timestamps, values }: RowColumns,
    position: number,
    takenAt: number,
  ): void {
    for (const { device, from, to } of runs) {
      for (let at = from; at < to; at += 1) {
        const entry = this.catalogue.get(ids[at]);
        if (entry?.device !== device || entry.slot !== slots[at]) continue;
        this.heads.push(entry, timestamps[start + at], values[start + at], position, takenAt);
      }
    }
  }

  private takeOther(read: ReadRow, samples: RowColumns | undefined, isSealed?: IsSealed): void {
    const { series } = read;
    const position = this.log.add(read.writer, read.number);
    if (!samples || !series) return;
    const now = this.settings.now();
    if (!isSealed) return this.heads.pushPlaces(series, 0, samples, position, now);
    const { timestamps, values } = samples;
    for (const { device, from, to } of series.runs) {
      for (let at = from; at < to; at += 1) {
        const entry = isSealed(device, timestamps[at], read) ? undefined : device.slots[series.slots[at]];
        if (entry) this.heads.push(entry, timestamps[at], values[at], position, now);
      }
    }
  }

  /** Without those whose series have been deleted. */
  private samplesOf({ series }: ReadRow, { timestamps, values }: RowColumns): OthersSamples {
    if (!series) return { series: [], runs: [], timestamps: new Float64Array(0), values: new Float64Array(0) };
    const described = (): readonly Series[] => (series.described ??= this.describe(series));
    if (series.isWhole) {
      // Nobody may ask for them.
      return {
        get series() {
          return described();
        },
        ...{ runs: series.runs, timestamps, values },
      };
    }
    const left: number[] = [];
    const runs = series.runs.map(({ device, from, to }) => {
      const first = left.length;
      for (let at = from; at < to; at += 1) left.push(at);
      return { device, from: first, to: left.length };
    });
    const those = (column: Float64Array): Float64Array => Float64Array.from(left, (at) => column[at]);
    return { series: described(), runs, timestamps: those(timestamps), values: those(values) };
  }

  /** The series of a row that are there. */
  private describe({ runs, slots }: FoundSeries): Series[] {
    return runs.flatMap(({ device, from, to }) =>
      Array.from(slots.subarray(from, to), (slot) => (device.slots[slot] as SeriesEntry).series),
    );
  }
}
