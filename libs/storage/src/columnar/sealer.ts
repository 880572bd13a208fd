import { HOUR, inSlices, Slices } from '@device-metrics/domain';
import { sameColumns, type Column, type SeriesPart } from './column.js';
import type { Head } from './head.js';
import type { Heads } from './heads.js';
import { chunkId, deviceOfChunk, FAR_AHEAD, hourOfChunk } from './hour.js';
import { joinSeries, PartSource, type SeriesSource } from './join-series.js';
import type { Later } from './later.js';
import { PieceEncoder, type EncodedPiece } from './piece.js';
import type { Pieces, PieceWrite, StoredPiece } from './pieces.js';
import type { SeriesCatalogue } from './series-catalogue.js';
import type { RecentReadings } from './recent-readings.js';
import { SingleRun } from './single-run.js';
import { ScratchColumn } from './sorted-samples.js';

export interface SealSettings {
  /** The clock, Unix milliseconds. */
  readonly now: () => number;
  /** How long after its hour's end, or after it was opened if that is later, a head is sealed; ms. */
  readonly sealDelay: number;
  /** A head with this many samples is sealed at once. */
  readonly maxHeadSamples: number;
  /** When the heads together take the memory of more samples than this, of 8 bytes each, those that were opened first are sealed. */
  readonly maxOpenSamples: number;
}

/** What the sealer needs of the database. */
export interface SealTables {
  readonly pieces: Pieces;
  /** Whether this store seals what there is of a device: of several that share a database, one does. */
  seals(deviceId: number): boolean;
  /** Writes chunks and parts in one transaction, all or none. */
  write(pieces: readonly PieceWrite[]): Later<void>;
  /** Whether an error says that the database is damaged in one place, and nothing against other places. */
  isDamage(error: unknown): boolean;
  /** Takes note that a part of a device and hour could not be written, since the database is damaged. */
  notePart(id: number, error: unknown): void;
  /** Deletes some journal rows before `needed`; false once there are none left. */
  trimJournal(needed: number): boolean;
}

/** What is written to the database together, at the most: a flush to disk costs the same for one as for all. */
const BATCH = 256;
const BATCH_BYTES = 1 << 19;

/** Of `maxOpenSamples`: from here on appends wait for sealing. */
const FULL_SHARE = 1.25;

/** Samples of an hour that take little more to write as a chunk than as a part. */
const FEW = 256;

/** When the heads hold too many samples, some are sealed until they hold this share of it. */
const RELIEF = 0.9;

/** Samples that are encoded, in a few hundredths of a millisecond, without a look at the clock. */
const MOST_WITHOUT_LOOK = 512;

/** How long what could not be written waits before it is tried again, ms. */
const RETRY = 10 * 60_000;

/** One device and hour that is about to be written. */
interface Sealed {
  readonly id: number;
  /** What goes into it. */
  readonly heads: readonly Head[];
  readonly sealedThrough: number;
  readonly kind: 'chunk' | 'part';
  /** The pieces that a chunk takes the place of. */
  readonly under: readonly StoredPiece[];
  /** Undefined where nothing is to be written, since what is there has all of it. */
  readonly piece: EncodedPiece | undefined;
}

/**
 * Turns heads into parts and chunks, in small slices, and trims the journal behind them.
 *
 * - Before its hour is over a head becomes a part, when memory asks for it. Nothing is read for that.
 * - Once the hour is over, its chunk, its parts and its head become one chunk. When memory asks for it, few samples of old data are the
 *   chunk of an hour that had nothing: there may be very many such hours.
 *
 * Where the database is damaged, what is meant for that place is kept in parts, and at last in memory; everything else
 * goes on.
 */
export class Sealer {
  private readonly work = new SingleRun(() => this.sealDue().finally(() => (this.waiting = [])));
  /** Lets go on who waits for room. */
  private waiting: (() => void)[] = [];
  private readonly encoder = new PieceEncoder();
  /** For each head of the device and hour that is being sealed. */
  private readonly scratch: ScratchColumn[] = [];
  private slices = new Slices();
  private batch: Sealed[] = [];
  private batchBytes = 0;
  /** When devices and hours are tried again that could not be written, Unix milliseconds. */
  private readonly retryAt = new Map<number, number>();

  constructor(
    private readonly catalogue: SeriesCatalogue,
    private readonly heads: Heads,
    private readonly tables: SealTables,
    private readonly settings: SealSettings,
    /** Hears what was read of each device; undefined where others seal some. */
    private readonly readings?: RecentReadings,
  ) {}

  /** Seals all that is due; together with a run that is under way, if there is one. */
  run(): Promise<void> {
    return this.work.run();
  }

  /** Seals all that is due now: after a run that is under way, if there is one. */
  runAnew(): Promise<void> {
    return this.work.runAnew();
  }

  /** Ends after the hour that is being sealed now. */
  stop(): Promise<void> {
    return this.work.stop();
  }

  /** Does `work` while nothing is being sealed. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.work.alone(work);
  }

  /** Makes parts of what heads have of a device; only to be called within `alone`. What comes meanwhile stays in heads. */
  async sealDevice(deviceId: number): Promise<void> {
    this.slices = new Slices();
    await this.sealEarly(this.heads.ofDevice(deviceId));
  }

  /** Whether a head is too large, or all of them together are, so that sealing cannot wait. */
  isPressed(): boolean {
    return this.heads.overfull || this.heads.load > this.settings.maxOpenSamples;
  }

  /** Whether more samples may come before others are sealed. */
  hasRoom(): boolean {
    return this.heads.load <= this.settings.maxOpenSamples * FULL_SHARE;
  }

  /** Waits until there is room for more samples, but no longer than a run lasts, which may not be able to make it. */
  async makeRoom(): Promise<void> {
    const isThere = new Promise<void>((resolve) => this.waiting.push(resolve));
    await Promise.race([isThere, this.run()]);
  }

  /** Deletes the rows of the journal that no head needs any more. */
  async trimJournal(): Promise<void> {
    while (this.tables.trimJournal(this.oldestNeededRow())) await this.slices.next();
  }

  private async sealDue(): Promise<void> {
    this.slices = new Slices();
    this.forgetBatch();
    // A commit may have called for it, which took its time.
    await this.slices.next();
    await this.sealEarly([...this.heads.all()].filter((head) => this.cannotWait(head)));
    for (const id of await this.dueHours()) {
      if (this.work.stopped) break;
      await this.relieve();
      await this.merge(id);
    }
    await this.relieve();
    await this.write();
  }

  /** What could not be written the last time, and what came while the clock was ahead: its hour may be over in years. */
  private cannotWait(head: Head): boolean {
    if (this.heads.isApart(head)) return false;
    return head.frozen || head.hour * HOUR > this.settings.now() + FAR_AHEAD;
  }

  /** Turns heads into parts while they hold too much. */
  private async relieve(): Promise<void> {
    if (!this.isPressed()) return;
    const chosen = new Set(this.heads.overfullHeads());
    let excess = this.heads.load - this.settings.maxOpenSamples * RELIEF;
    for (const { load } of chosen) excess -= load;
    for (const head of this.heads.all()) {
      if (excess <= 0) break;
      if (head.frozen || chosen.has(head)) continue;
      chosen.add(head);
      excess -= head.load;
    }
    // Those that another store seals go once it has: until then no more comes to them.
    for (const head of chosen) if (!this.tables.seals(head.device.id)) this.heads.freeze(head);
    await this.sealEarly(chosen, true);
  }

  /** Makes parts of the hours of heads, and, where they `mayBeChunks`, chunks of those that had nothing. */
  private async sealEarly(heads: Iterable<Head>, mayBeChunks = false): Promise<void> {
    const all = [...new Set(Array.from(heads, (head) => chunkId(head.device.id, head.hour)))];
    for (let from = 0; from < all.length; from += BATCH) {
      const ids = all.slice(from, from + BATCH).filter((id) => this.tables.seals(deviceOfChunk(id)));
      const chunks = mayBeChunks ? await this.firstOfOld(ids) : new Set<number>();
      for (const id of ids) {
        if (this.work.stopped) break;
        await this.makePart(id, chunks.has(id) ? 'chunk' : 'part');
      }
    }
    await this.write();
  }

  /** The hours that are over, of which nothing has been sealed, and that have few samples. */
  private async firstOfOld(ids: readonly number[]): Promise<ReadonlySet<number>> {
    const { pieces } = this.tables;
    const now = this.settings.now();
    // What is under way may be of one of them.
    const written = new Set(this.batch.map(({ id }) => id));
    const old = ids.filter((id) => {
      const hour = hourOfChunk(id);
      if ((hour + 1) * HOUR > now || pieces.isClosed(id) || pieces.hasParts(id) || written.has(id)) return false;
      return this.heads.at(deviceOfChunk(id), hour).reduce((sum, { size }) => sum + size, 0) <= FEW;
    });
    const found = pieces.sealedOf(old);
    const sealed = found instanceof Promise ? await found : found;
    return new Set(old.filter((id) => !sealed.has(id)));
  }

  /** One part of all heads of a device and hour: none may be sealed before those that were opened before it. */
  private async makePart(id: number, kind: 'part' | 'chunk' = 'part'): Promise<void> {
    const heads = await this.frozenHeads(id);
    if (this.isToWait(id, this.settings.now())) {
      for (const head of heads) this.heads.keepApart(head);
      return;
    }
    const piece = await this.encode(id, this.joined([], heads), kind);
    const sealedThrough = heads.reduce((last, { lastRow }) => Math.max(last, lastRow), 0);
    await this.add({ id, heads, sealedThrough, kind, under: [], piece });
  }

  /** The heads of a device and hour, which take no more samples, once what is under way for it is written. */
  private async frozenHeads(id: number): Promise<readonly Head[]> {
    if (this.batch.some((sealed) => sealed.id === id)) await this.write();
    const heads = this.heads.at(deviceOfChunk(id), hourOfChunk(id));
    for (const head of heads) this.heads.freeze(head);
    return heads;
  }

  /** The devices and hours that are over, earliest first. */
  private async dueHours(): Promise<number[]> {
    const now = this.settings.now();
    const due = new Set<number>();
    const addHead = (head: Head): void => {
      const id = chunkId(head.device.id, head.hour);
      if (this.dueAt(id, head.openedAt, now) <= now) due.add(id);
    };
    await inSlices(this.heads.all(), addHead, this.slices);
    const addParts = ({ id, since }: { readonly id: number; readonly since: number }): void => {
      if (!this.tables.pieces.isClosed(id) && this.dueAt(id, since, now) <= now) due.add(id);
    };
    await inSlices(this.tables.pieces.withParts(), addParts, this.slices);
    for (const id of this.retryAt.keys()) if (this.isToWait(id, now)) due.delete(id);
    for (const id of due) if (!this.tables.seals(deviceOfChunk(id))) due.delete(id);
    return [...due].sort((a, b) => hourOfChunk(a) - hourOfChunk(b) || a - b);
  }

  /** Devices take their turns over another `sealDelay`, so that not all are due at once. */
  private dueAt(id: number, openedAt: number, now: number): number {
    const turn = ((deviceOfChunk(id) * 37) % 64) / 64;
    // Where the clock has been set back since it was opened nothing waits for that time to come again.
    const opened = openedAt > now ? 0 : openedAt;
    return Math.max((hourOfChunk(id) + 1) * HOUR, opened) + this.settings.sealDelay * (1 + turn);
  }

  /** Whether something could not be written a short while ago: by a clock that was ahead then it never was. */
  private isToWait(id: number, now: number): boolean {
    const at = this.retryAt.get(id);
    return at !== undefined && at > now && at <= now + RETRY;
  }

  private oldestNeededRow(): number {
    for (const head of this.heads.all()) return head.firstRow;
    return Infinity;
  }

  /** One chunk of all that there is of a device and hour. */
  private async merge(id: number): Promise<void> {
    const { pieces } = this.tables;
    const heads = await this.frozenHeads(id);
    if (pieces.isClosed(id)) {
      if (heads.length > 0) await this.makePart(id);
      return;
    }
    const found = pieces.at(deviceOfChunk(id), hourOfChunk(id));
    const sealed = found instanceof Promise ? await found : found;
    const merged = await this.merged(id, sealed, heads);
    if (!merged) {
      pieces.close(id);
      if (heads.length > 0) await this.makePart(id);
      return;
    }
    const sealedThrough = [
      ...sealed.map((piece) => piece.sealedThrough),
      ...heads.map(({ lastRow }) => lastRow),
    ].reduce((last, row) => Math.max(last, row), 0);
    await this.add({ id, heads, sealedThrough, kind: 'chunk', under: sealed, piece: merged.piece });
  }

  /**
   * What pieces and heads have together; no piece where the chunk that is there has all of it. Undefined where the samples of a piece
   * are damaged, or were dropped and then the clock was set back: its summaries are what is left of them. They stay, and what comes
   * for the hour stays beside them.
   */
  private async merged(
    id: number,
    sealed: readonly StoredPiece[],
    heads: readonly Head[],
  ): Promise<Pick<Sealed, 'piece'> | undefined> {
    if (sealed.some(({ part }) => part > 0)) {
      try {
        const cursors = await this.cursorsOfAll(sealed);
        return cursors && { piece: await this.encode(id, this.joined(cursors, heads), 'chunk') };
      } catch {
        // Which of them cannot be decoded comes out as each is decoded by itself.
      }
    }
    const columns = await this.columnsOfAll(sealed);
    if (!columns) return undefined;
    const joined = (): Iterable<Readonly<SeriesPart>> => this.joined(columns.map(sourceOf), heads);
    const isChunk = sealed.length === 1 && sealed[0].part === 0;
    if (isChunk && !(await this.isChanged(columns[0], joined()))) return { piece: undefined };
    return { piece: await this.encode(id, joined(), 'chunk') };
  }

  /** Of each piece, at its first series; undefined as `merged`. */
  private async cursorsOfAll(sealed: readonly StoredPiece[]): Promise<SeriesSource[] | undefined> {
    const found: SeriesSource[] = [];
    for (const piece of sealed) {
      const cursor = this.tables.pieces.cursor(piece);
      if (cursor?.next()) found.push(cursor);
      else if (this.hasSummaries(piece)) return undefined;
      if (this.slices.isOver()) await this.slices.next();
    }
    return found;
  }

  /** The samples of each piece; undefined as `merged`. */
  private async columnsOfAll(sealed: readonly StoredPiece[]): Promise<ReadonlyMap<number, Column>[] | undefined> {
    const found: ReadonlyMap<number, Column>[] = [];
    for (const piece of sealed) {
      const columns = this.tables.pieces.columns(piece);
      if (columns.size === 0 && this.hasSummaries(piece)) return undefined;
      found.push(columns);
      if (this.slices.isOver()) await this.slices.next();
    }
    return found;
  }

  /** Whether what is to be joined is anything but the chunk. */
  private async isChanged(
    chunk: ReadonlyMap<number, Column>,
    joined: Iterable<Readonly<SeriesPart>>,
  ): Promise<boolean> {
    for (const { seriesId, column } of joined) {
      const before = chunk.get(seriesId);
      if (!before || !sameColumns(before, column)) return true;
      if (this.slices.isOver()) await this.slices.next();
    }
    return false;
  }

  /** What pieces and heads have of each series, the later over the earlier ones, until those of heads are asked for again. */
  private joined(pieces: readonly SeriesSource[], heads: readonly Head[]): Iterable<Readonly<SeriesPart>> {
    const ofHeads = heads.map((head, place) => head.partsIn((this.scratch[place] ??= new ScratchColumn())));
    // Mostly there is nothing but a head, which has each series once.
    if (pieces.length === 0 && heads.length === 1) return ofHeads[0];
    return joinSeries([...pieces, ...ofHeads.map(startOf)]);
  }

  private hasSummaries(piece: StoredPiece): boolean {
    let has = false;
    this.tables.pieces.summaries(piece, () => (has = true));
    return has;
  }

  /**
   * Undefined without any column.
   *
   * @param parts by id; their values hold until the next one is asked for, their times until the piece is there.
   */
  private async encode(
    chunk: number,
    parts: Iterable<Readonly<SeriesPart>>,
    kind: 'chunk' | 'part',
  ): Promise<EncodedPiece | undefined> {
    this.encoder.begin(hourOfChunk(chunk));
    const usual = this.readings?.seriesOf(deviceOfChunk(chunk));
    let most: { readonly seriesId: number; readonly times: Uint32Array } | undefined;
    // To put a head in order takes its time too.
    let withoutLook = MOST_WITHOUT_LOOK;
    for (const { seriesId, column, from, to } of parts) {
      withoutLook += to - from;
      if (withoutLook > MOST_WITHOUT_LOOK) {
        withoutLook = 0;
        if (this.slices.isOver()) await this.slices.next();
      }
      this.encoder.add(seriesId, column, from, to);
      const more = to - from - (most?.times.length ?? 0);
      if (more > 0 || (more === 0 && seriesId === usual)) most = { seriesId, times: column.times.subarray(from, to) };
    }
    if (most) this.readings?.note(deviceOfChunk(chunk), most.seriesId, hourOfChunk(chunk) * HOUR, most.times);
    if (this.slices.isOver()) await this.slices.next();
    return most ? this.encoder.finish(kind) : undefined;
  }

  private async add(sealed: Sealed): Promise<void> {
    this.batch.push(sealed);
    this.batchBytes += (sealed.piece?.data?.length ?? 0) + (sealed.piece?.stats.length ?? 0);
    if (this.batch.length >= BATCH || this.batchBytes >= BATCH_BYTES) await this.write();
    else if (this.slices.isOver()) await this.slices.next();
  }

  private forgetBatch(): void {
    this.batch = [];
    this.batchBytes = 0;
  }

  /** Writes the batch in one transaction, or, where the database is damaged, one after the other. */
  private async write(): Promise<void> {
    const { batch } = this;
    this.forgetBatch();
    if (batch.length === 0) return;
    try {
      await this.writeTogether(batch);
    } catch (error) {
      if (!this.tables.isDamage(error)) throw error;
      for (const sealed of batch) await this.writeAlone(sealed);
    }
    await this.trimJournal();
    await this.slices.next();
  }

  private async writeTogether(batch: readonly Sealed[]): Promise<void> {
    // The device may have been deleted meanwhile.
    const wanted = batch.filter(({ id }) => this.catalogue.deviceById(deviceOfChunk(id)));
    const written = wanted.filter(({ heads }) => heads.every((head) => this.heads.has(head)));
    const writing = this.tables.write(written.map((sealed) => this.rowOf(sealed)));
    // In place: nothing may come between what is written and what leaves the memory.
    if (writing instanceof Promise) await writing;
    for (const { heads } of batch) for (const head of heads) this.heads.remove(head);
    if (this.hasRoom()) for (const goOn of this.waiting.splice(0)) goOn();
  }

  private rowOf({ id, sealedThrough, kind, under, piece }: Sealed): PieceWrite {
    const latest = kind === 'part' ? [] : this.catalogue.latestWithin(deviceOfChunk(id), hourOfChunk(id));
    return { id, sealedThrough, kind, under, piece, latest };
  }

  /** Keeps what cannot be written as a chunk in parts, and what cannot be written at all in memory. */
  private async writeAlone(sealed: Sealed): Promise<void> {
    try {
      await this.writeTogether([sealed]);
    } catch (error) {
      if (!this.tables.isDamage(error)) throw error;
      if (sealed.kind === 'part') {
        for (const head of sealed.heads) this.heads.keepApart(head);
        this.retryAt.set(sealed.id, this.settings.now() + RETRY);
        this.tables.notePart(sealed.id, error);
        return;
      }
      this.tables.pieces.close(sealed.id, error);
      if (sealed.heads.length > 0) await this.sealEarly(sealed.heads);
    }
  }
}

/** Of parts by id, at the first of them. */
function startOf(parts: Iterable<Readonly<SeriesPart>>): SeriesSource {
  const source = new PartSource(parts);
  source.next();
  return source;
}

/** Of columns in the order of their ids, at the first of them. */
const sourceOf = (columns: ReadonlyMap<number, Column>): SeriesSource =>
  startOf(Array.from(columns, ([seriesId, column]) => ({ seriesId, column, from: 0, to: column.times.length })));
