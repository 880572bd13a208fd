import type { Database, Statement } from 'better-sqlite3';
import { HOUR } from '@device-metrics/domain';
import { rises, summarizeColumn, type Column } from '../columnar/column.js';
import { sealFrame, type FrameKey } from '../columnar/codec/frame.js';
import { NOT_DECIMAL } from '../columnar/codec/values.js';
import { chunkId, deviceOfChunk, hourOfChunk, HOURS } from '../columnar/hour.js';
import { decodePiece, PieceCursor, type EncodedPiece } from '../columnar/piece.js';
import type {
  LatePieces,
  PieceKey,
  PiecePage,
  PieceReader,
  Pieces,
  PieceWrite,
  StoredPiece,
  VisitSummary,
} from '../columnar/pieces.js';
import { readStats, StatsWriter } from '../columnar/stats.js';
import type { DamagedTable } from './damaged-table.js';
import { ManyRows } from './many-rows.js';
import { PartIndex } from '../columnar/part-index.js';
import { PartSums } from '../columnar/part-sums.js';
import { latestChecksum } from './row-checksum.js';
import { isUnreadable, ReadableChunks } from './unreadable.js';

/** A row that retention looks at. */
interface RowKey {
  readonly id: number;
}

/** Chunks that are fetched at once, without their samples: 100 kB of summaries of a PC, which takes about a millisecond. */
const PAGE = 32;

/** Devices and hours whose parts are fetched at once at a start: by themselves each takes three times as long. */
const HOURS_OF_PARTS = 64;

/** Devices and hours whose parts are summed up in memory, 40 MB of them: old data may come of very many hours at once. */
const MOST_SUMS = 1 << 16;

/** The chunks and parts on disk. What is damaged is set aside on first sight and never stops what is beside it. */
export class PieceTable implements Pieces {
  readonly partIndex = new PartIndex();
  private readonly readable: ReadableChunks;
  private readonly statements;
  private readonly latest;
  /** Device and hour of chunks that are to be left as they are. */
  private readonly closed = new Set<number>();
  /** Those whose samples cannot be read, nor taken away. */
  private readonly withoutSamples = new Set<number>();
  /** By device and hour that has parts: what these have together. Of those that got their first part last. */
  private readonly sums = new Map<number, PartSums>();
  /** By device: the time of its oldest sample, Infinity without one. Of those that somebody has asked for. */
  private readonly firstTimes = new Map<number, number>();

  constructor(
    private readonly db: Database,
    private readonly damaged: DamagedTable,
    private readonly now: () => number,
  ) {
    this.statements = prepare(db);
    this.latest = latestRows(db);
    // A page holds chunks of several hours: it counts once for each device.
    this.readable = new ReadableChunks(db, (id, error) => this.note('chunk', chunkId(deviceOfChunk(id), 0), error));
    this.loadParts();
  }

  private loadParts(): void {
    const rows = this.db.prepare<[], { id: number; last: number }>(
      'SELECT id, max(part) AS last FROM part GROUP BY id',
    );
    try {
      for (const { id, last } of rows.iterate()) this.partIndex.add(id, last, this.now());
    } catch (error) {
      this.note('part', 0, error);
    }
  }

  reader(): PieceReader {
    return { page: (deviceId, from, to) => this.page(deviceId, from, to), fetch: () => undefined };
  }

  private page(deviceId: number, from: number, to: number): PiecePage {
    const chunks = this.chunks(deviceId, from, to, PAGE);
    const end = chunks.length < PAGE ? to : hourOfChunk(chunks[PAGE - 1].id) + 1;
    const hours = new Map<number, StoredPiece[] | LatePieces>();
    for (const chunk of chunks) hours.set(hourOfChunk(chunk.id), [chunk]);
    for (const hour of this.partIndex.hoursOf(deviceId)) {
      if (hour < from || hour >= end) continue;
      const read = (): StoredPiece[] => this.at(deviceId, hour);
      const sums = this.sums.get(chunkId(deviceId, hour));
      hours.set(hour, sums && !sums.overlap && !hours.has(hour) ? { sums, read } : { read });
    }
    return { hours, end };
  }

  /** At most `limit` chunks of a device from hour `from` to before hour `to`, in order of time. */
  chunks(deviceId: number, from: number, to: number, limit: number): StoredPiece[] {
    const found = this.readable.range(chunkId(deviceId, from), chunkId(deviceId, to), limit);
    if (this.withoutSamples.size === 0) return found;
    return found.map((piece) => (this.withoutSamples.has(piece.id) ? { ...piece, raw: 0 } : piece));
  }

  at(deviceId: number, hour: number): StoredPiece[] {
    return [...this.chunks(deviceId, hour, hour + 1, 1), ...this.parts(deviceId, hour)];
  }

  /** In their order. */
  parts(deviceId: number, hour: number): StoredPiece[] {
    const id = chunkId(deviceId, hour);
    if (!this.partIndex.has(id)) return [];
    try {
      return this.statements.parts
        .all(id)
        .map(([part, sealedThrough, stats, raw]) => ({ id, part, sealedThrough, stats, raw }));
    } catch (error) {
      this.note('part', id, error);
      return [];
    }
  }

  /** The time of the oldest sample of a device in chunks and parts, Unix milliseconds; Infinity without one. */
  firstTime(deviceId: number): number {
    let time = this.firstTimes.get(deviceId);
    if (time === undefined) this.firstTimes.set(deviceId, (time = this.findFirstTime(deviceId)));
    return time;
  }

  private findFirstTime(deviceId: number): number {
    const [chunk] = this.chunks(deviceId, 0, HOURS, 1);
    const ofParts = this.firstTimeOfParts(deviceId);
    // Mostly the parts are of a later hour.
    return chunk && hourOfChunk(chunk.id) * HOUR <= ofParts ? Math.min(ofParts, this.firstTimeIn([chunk])) : ofParts;
  }

  private firstTimeOfParts(deviceId: number): number {
    let hour = Infinity;
    for (const other of this.hoursWithParts(deviceId)) hour = Math.min(hour, other);
    if (hour === Infinity) return Infinity;
    return this.partIndex.firstTime(chunkId(deviceId, hour)) ?? this.firstTimeIn(this.parts(deviceId, hour));
  }

  private firstTimeIn(pieces: readonly StoredPiece[]): number {
    let time = Infinity;
    for (const piece of pieces) {
      this.summaries(piece, (_id, { firstTime }) => {
        if (firstTime < time) time = firstTime;
      });
    }
    return time;
  }

  /** What is written stays with what was there, in the same place or another. */
  private noteFirstTime(id: number, firstTime: number): void {
    const deviceId = deviceOfChunk(id);
    const known = this.firstTimes.get(deviceId);
    if (known !== undefined && firstTime < known) this.firstTimes.set(deviceId, firstTime);
  }

  /** The part of a device that was written last, of its newest hour that has any. */
  lastPart(deviceId: number): StoredPiece | undefined {
    let newest = -Infinity;
    for (const hour of this.hoursWithParts(deviceId)) newest = Math.max(newest, hour);
    if (newest === -Infinity) return undefined;
    const id = chunkId(deviceId, newest);
    return this.attempt(() => this.statements.part.get(id, this.partIndex.nextPart(id) - 1));
  }

  hoursWithParts(deviceId: number): Iterable<number> {
    return this.partIndex.hoursOf(deviceId);
  }

  hasParts(id: number): boolean {
    return this.partIndex.has(id);
  }

  sealedOf(ids: readonly number[]): Set<number> {
    return new Set(ids.filter((id) => this.at(deviceOfChunk(id), hourOfChunk(id)).length > 0));
  }

  withParts(): Iterable<{ readonly id: number; readonly since: number }> {
    return this.partIndex.all();
  }

  isClosed(id: number): boolean {
    return this.closed.has(id);
  }

  close(id: number, damage?: unknown): void {
    this.closed.add(id);
    if (damage !== undefined) this.note('chunk', id, damage);
  }

  /** The first device that has chunks or parts, of those whose id is `from` or greater. */
  nextDevice(from: number): number | undefined {
    const first = chunkId(from, 0);
    const next = [this.attempt(() => this.statements.nextChunk.get(first)), this.partIndex.next(first)];
    const known = next.filter((id) => id !== undefined).sort((a, b) => a - b);
    // A damaged id may come before those that were asked for.
    return known.length === 0 || known[0] < first ? undefined : deviceOfChunk(known[0]);
  }

  /** The last hour, from `from` to before `to`, of which a device has a chunk without samples. */
  lastBareHour(deviceId: number, from: number, to: number): number | undefined {
    const id = this.attempt(() => this.statements.lastBare.get(chunkId(deviceId, from), chunkId(deviceId, to)));
    return id === undefined ? undefined : hourOfChunk(id);
  }

  /** The last journal row whose samples of this device and hour are in a chunk or a part; 0 without one. */
  sealedThrough(id: number): number {
    const ofChunk = this.chunkSealedThrough(id);
    return this.partIndex.has(id) ? Math.max(ofChunk, this.partsSealedThrough(id)) : ofChunk;
  }

  private chunkSealedThrough(id: number): number {
    return this.attempt(() => this.statements.sealedThrough.get(id)) ?? 0;
  }

  private partsSealedThrough(id: number): number {
    return this.sums.get(id)?.sealedThrough ?? this.attempt(() => this.statements.partsSealedThrough.get(id)) ?? 0;
  }

  /**
   * The last journal row of which what is sealed has samples, of the hours of a device that have parts, and of the hour of its newest
   * chunk.
   */
  lastSealed(deviceId: number): ReadonlyMap<number, number> {
    const [from, to] = [chunkId(deviceId, 0), chunkId(deviceId, HOURS)];
    const found = new Map<number, number>();
    const newest = this.attempt(() => this.statements.lastSealed.get(from, to) ?? [from - 1, 0]);
    if (newest && newest[1] > 0) found.set(hourOfChunk(newest[0]), newest[1]);
    for (const hour of this.partIndex.hoursOf(deviceId)) {
      const id = chunkId(deviceId, hour);
      // There is no chunk behind the newest one.
      const ofChunk = newest && id > newest[0] ? 0 : this.chunkSealedThrough(id);
      found.set(hour, Math.max(ofChunk, this.partsSealedThrough(id)));
    }
    // Of one that has no chunk it is known by now.
    if (newest && newest[0] < from) this.firstTimes.set(deviceId, this.firstTimeOfParts(deviceId));
    return found;
  }

  /** Writes pieces in one transaction. */
  write(rows: readonly PieceWrite[]): void {
    const isWithin = this.db.inTransaction;
    const added: StatsOfPiece[] = [];
    this.db.transaction(() => {
      for (const row of rows) {
        const part = this.writeOne(row);
        if (part) added.push(part);
      }
    })();
    // What is within another transaction may be undone with it.
    for (const part of added)
      if (isWithin) this.sums.delete(part.id);
      else this.addSums(part);
  }

  /** Gives the part that was written, if it was one. */
  private writeOne({ id, sealedThrough, kind, piece, latest }: PieceWrite): StatsOfPiece | undefined {
    if (kind === 'chunk' && piece) this.putChunk(id, sealedThrough, piece);
    else if (kind === 'chunk') this.deleteParts(id);
    this.latest.write(latest);
    return kind === 'part' && piece ? this.addPart(id, sealedThrough, piece, this.now()) : undefined;
  }

  /** Takes in a part that is behind all others that there are. */
  private addSums(part: StatsOfPiece): void {
    const start = hourOfChunk(part.id) * HOUR;
    if (part.part === 1) this.keepSums(part.id, new PartSums(start));
    const sums = this.sums.get(part.id);
    if (sums) addPart(sums, part, start);
    sums?.trim();
  }

  private keepSums(id: number, sums: PartSums): void {
    this.sums.set(id, sums);
    if (this.sums.size <= MOST_SUMS) return;
    // Many at a time: a map goes over all that it has lost before it comes to its oldest one.
    for (const oldest of this.sums.keys()) {
      if (this.sums.size <= MOST_SUMS / 2) return;
      this.sums.delete(oldest);
    }
  }

  /**
   * Looks into all parts, and takes note of what those of each device and hour have together; pauses after each of these.
   *
   * @param visit gets all that is needed to know the latest sample of each series.
   */
  *readAllParts(visit: VisitSummary): Generator<void> {
    const ids = Array.from(this.partIndex.all(), ({ id }) => id).sort((a, b) => a - b);
    for (let from = 0; from < ids.length; from += HOURS_OF_PARTS) {
      const some = ids.slice(from, from + HOURS_OF_PARTS);
      const found = this.partsBetween(some[0], some[some.length - 1]);
      for (const id of some) {
        this.readParts(id, found?.get(id) ?? this.parts(deviceOfChunk(id), hourOfChunk(id)), visit);
        yield;
      }
    }
  }

  /** By device and hour; undefined where not all of them can be read. */
  private partsBetween(first: number, last: number): Map<number, StoredPiece[]> | undefined {
    const found = new Map<number, StoredPiece[]>();
    try {
      for (const [id, part, sealedThrough, stats, raw] of this.statements.partsBetween.all(first, last)) {
        const piece = { id, part, sealedThrough, stats, raw };
        const known = found.get(id);
        if (known) known.push(piece);
        else found.set(id, [piece]);
      }
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return undefined;
    }
    return found;
  }

  private readParts(id: number, parts: readonly StoredPiece[], visit: VisitSummary): void {
    const sums = sumsOf(id, parts);
    if (sums) {
      this.partIndex.noteFirstTime(id, sums.firstTime);
      if (parts.every(({ raw }) => raw === 1)) this.keepSums(id, sums);
      sums.visit(visit);
      return;
    }
    let first = Infinity;
    for (const part of parts) {
      this.summaries(part, (seriesId, summary) => {
        if (summary.firstTime < first) first = summary.firstTime;
        visit(seriesId, summary);
      });
    }
    this.partIndex.noteFirstTime(id, first);
  }

  /** Writes down the latest sample of a series. */
  saveLatest(seriesId: number, time: number, value: number): void {
    this.latest.write([[seriesId, time, value]]);
  }

  /** In one transaction. What the file does not take is found again at the next start. */
  saveAllLatest(samples: PieceWrite['latest']): void {
    if (samples.length === 0) return;
    this.attempt(() => this.db.transaction(() => this.latest.write(samples))());
  }

  putChunk(id: number, sealedThrough: number, { stats, data, firstTime }: EncodedPiece): void {
    sealFrame(stats, [id, 0, sealedThrough]);
    if (data) sealFrame(data, [id, 0]);
    this.statements.upsertChunk.run(id, sealedThrough, stats, data);
    this.noteFirstTime(id, firstTime);
    this.withoutSamples.delete(id);
    this.deleteParts(id);
  }

  private addPart(
    id: number,
    sealedThrough: number,
    { stats, data, firstTime }: EncodedPiece,
    now: number,
  ): StatsOfPiece {
    const part = this.partIndex.nextPart(id);
    sealFrame(stats, [id, part, sealedThrough]);
    if (data) sealFrame(data, [id, part]);
    this.statements.insertPart.run(id, part, sealedThrough, stats, data);
    this.partIndex.add(id, part, now, firstTime);
    this.noteFirstTime(id, firstTime);
    return { id, part, sealedThrough, stats };
  }

  private deleteParts(id: number): void {
    if (!this.partIndex.has(id)) return;
    this.sums.delete(id);
    this.statements.deleteParts.run(id);
    this.partIndex.delete(id);
  }

  columns(piece: PieceKey, wanted?: { has(seriesId: number): boolean }): Map<number, Column> {
    return this.samplesOf(piece, (data, key) => decodePiece(data, key, wanted)) ?? new Map<number, Column>();
  }

  cursor(piece: PieceKey): PieceCursor | undefined {
    return this.samplesOf(piece, (data, key) => new PieceCursor(data, key));
  }

  /** What `read` makes of the samples of a piece; undefined where they were dropped or are damaged. */
  private samplesOf<T>(piece: PieceKey, read: (data: Uint8Array, key: FrameKey) => T): T | undefined {
    let data: Uint8Array | null | undefined;
    try {
      data =
        piece.part === 0 ? this.statements.chunkData.get(piece.id) : this.statements.partData.get(piece.id, piece.part);
      return data ? read(data, [piece.id, piece.part]) : undefined;
    } catch (error) {
      this.setAsideData(piece, data ?? undefined, error);
      return undefined;
    }
  }

  summaries(piece: StoredPiece, visit: VisitSummary, wanted?: { has(seriesId: number): boolean }): void {
    const hourStart = hourOfChunk(piece.id) * HOUR;
    try {
      readStats(piece.stats, keyOfStats(piece), hourStart, visit, wanted);
    } catch (error) {
      const stats = this.repairStats(piece, hourStart, error);
      if (stats) readStats(stats, keyOfStats(piece), hourStart, visit, wanted);
    }
  }

  /** Drops the samples of a device from hour `from` to before `to`, of at most `limit` chunks; gives the hour to go on from. */
  dropData(deviceId: number, from: number, to: number, limit: number): number | undefined {
    const [first, end] = [chunkId(deviceId, from), chunkId(deviceId, to)];
    const rows = this.attempt(() => this.statements.rawChunks.all(first, end, limit)) ?? [];
    this.eachRow(rows, ({ id }) => this.statements.dropChunkData.run(id));
    this.attempt(() => this.statements.dropPartData.run(first, end));
    for (const hour of this.partIndex.hoursOf(deviceId)) {
      if (hour >= from && hour < to) this.sums.delete(chunkId(deviceId, hour));
    }
    return rows.length < limit ? undefined : behind(rows, from);
  }

  /** Deletes what a device has from hour `from` to before `to`, at most `limit` chunks; gives the hour to go on from. */
  delete(deviceId: number, from: number, to: number, limit: number): number | undefined {
    const [first, end] = [chunkId(deviceId, from), chunkId(deviceId, to)];
    const rows = this.attempt(() => this.statements.anyChunks.all(first, end, limit)) ?? [];
    this.eachRow(rows, ({ id }) => this.statements.deleteChunk.run(id));
    this.firstTimes.delete(deviceId);
    for (const hour of [...this.partIndex.hoursOf(deviceId)]) {
      if (hour >= from && hour < to) this.attempt(() => this.deleteParts(chunkId(deviceId, hour)));
    }
    return rows.length < limit ? undefined : behind(rows, from);
  }

  /** Sets aside what there is of a device that does not exist, at most `limit` chunks; gives the hour to go on from. */
  setAsideOrphans(deviceId: number, from: number, to: number, limit: number): number | undefined {
    const chunks = this.chunks(deviceId, from, to, limit);
    for (const piece of chunks) this.setAsidePiece(piece);
    for (const hour of [...this.partIndex.hoursOf(deviceId)]) {
      if (hour < from || hour >= to) continue;
      for (const piece of this.parts(deviceId, hour)) this.setAsidePiece(piece);
      this.attempt(() => this.deleteParts(chunkId(deviceId, hour)));
    }
    return chunks.length < limit ? undefined : hourOfChunk(chunks[chunks.length - 1].id) + 1;
  }

  /** All rows in one transaction, or, where one of them is damaged, each by itself. */
  private eachRow(rows: readonly RowKey[], act: (row: RowKey) => void): void {
    if (rows.length === 0) return;
    try {
      this.db.transaction(() => rows.forEach(act))();
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      for (const row of rows) {
        try {
          act(row);
        } catch (problem) {
          if (!isUnreadable(problem)) throw problem;
          this.close(row.id, problem);
        }
      }
    }
  }

  private setAsidePiece(piece: StoredPiece): void {
    this.firstTimes.clear();
    this.sums.delete(piece.id);
    const kind = piece.part === 0 ? 'chunk' : 'part';
    const data = this.attempt(() =>
      piece.part === 0 ? this.statements.chunkData.get(piece.id) : this.statements.partData.get(piece.id, piece.part),
    );
    this.attempt(() =>
      this.db.transaction(() => {
        this.damaged.setAside(`${kind} stats`, piece.id, piece.stats, this.now());
        if (data) this.damaged.setAside(`${kind} data`, piece.id, data, this.now());
        if (piece.part === 0) this.statements.deleteChunk.run(piece.id);
        else this.statements.deletePart.run(piece.id, piece.part);
      })(),
    );
  }

  private setAsideData(piece: PieceKey, data: Uint8Array | undefined, error: unknown): void {
    const source = piece.part === 0 ? 'chunk data' : 'part data';
    if (!data) return this.giveUpSamples(piece, error);
    const remove = (): void => {
      if (piece.part === 0) this.statements.dropChunkData.run(piece.id);
      else this.statements.dropDataOfPart.run(piece.id, piece.part);
    };
    try {
      this.db.transaction(() => {
        this.damaged.setAside(source, piece.id, data, this.now());
        remove();
      })();
    } catch (problem) {
      this.giveUpSamples(piece, problem);
    }
  }

  private giveUpSamples({ id, part }: PieceKey, error: unknown): void {
    this.note(part === 0 ? 'chunk data' : 'part data', id, error);
    if (part === 0) this.withoutSamples.add(id);
  }

  /**
   * Stats made of the samples; undefined, and the piece is gone, when these are missing or damaged as well. What the disk does not give
   * back stays where it is: it may do so the next time.
   */
  private repairStats(piece: StoredPiece, hourStart: number, error: unknown): Uint8Array | undefined {
    this.firstTimes.clear();
    this.sums.delete(piece.id);
    const columns = this.columns(piece);
    const repaired = columns.size > 0 ? statsOf(columns, hourStart) : undefined;
    if (repaired) sealFrame(repaired, keyOfStats(piece));
    const source = piece.part === 0 ? 'chunk stats' : 'part stats';
    if (!repaired && (piece.stats.length === 0 || !this.givesBackSamples(piece))) {
      this.damaged.note(source, piece.id, error, this.now());
      return undefined;
    }
    const { statements } = this;
    try {
      this.db.transaction(() => {
        this.damaged.setAside(source, piece.id, piece.stats, this.now());
        if (piece.part === 0) {
          if (repaired) statements.updateChunkStats.run(repaired, piece.id);
          else statements.deleteChunk.run(piece.id);
        } else if (repaired) statements.updatePartStats.run(repaired, piece.id, piece.part);
        else statements.deletePart.run(piece.id, piece.part);
      })();
    } catch (problem) {
      if (!isUnreadable(problem)) throw problem;
      this.note(source, piece.id, error);
    }
    return repaired;
  }

  /** Whether the file says what samples a piece has, be they damaged or none. */
  private givesBackSamples({ id, part }: PieceKey): boolean {
    try {
      if (part === 0) this.statements.chunkData.get(id);
      else this.statements.partData.get(id, part);
      return true;
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return false;
    }
  }

  /** What `act` gives; undefined where the file cannot be read there, which has been noted as damage. */
  private attempt<T>(act: () => T): T | undefined {
    try {
      return act();
    } catch (error) {
      this.note('chunk', 0, error);
      return undefined;
    }
  }

  /** Takes note of what cannot be read, once for each place. */
  private note(
    source: 'chunk' | 'part' | 'chunk data' | 'part data' | 'chunk stats' | 'part stats',
    id: number,
    error: unknown,
  ): void {
    if (!isUnreadable(error)) throw error;
    this.firstTimes.clear();
    this.damaged.note(source, id, error, this.now());
  }
}

/** The hour behind all of the rows; ids that are damaged may come in any order. */
const behind = (rows: readonly RowKey[], from: number): number =>
  rows.reduce((hour, { id }) => Math.max(hour, hourOfChunk(id)), from) + 1;

type StatsOfPiece = Pick<StoredPiece, 'id' | 'part' | 'sealedThrough' | 'stats'>;

const keyOfStats = ({ id, part, sealedThrough }: StatsOfPiece): number[] => [id, part, sealedThrough];

function addPart(sums: PartSums, part: StatsOfPiece, start: number): void {
  readStats(part.stats, keyOfStats(part), start, (id, summary) => sums.add(id, summary));
  if (part.sealedThrough > sums.sealedThrough) sums.sealedThrough = part.sealedThrough;
}

/** What parts have together; undefined where they overlap, or one of them is damaged. */
function sumsOf(id: number, parts: readonly StoredPiece[]): PartSums | undefined {
  const start = hourOfChunk(id) * HOUR;
  const sums = new PartSums(start);
  try {
    for (const part of parts) addPart(sums, part, start);
  } catch {
    // Whoever reads them one by one finds out which.
    return undefined;
  }
  sums.trim();
  return sums.overlap ? undefined : sums;
}

function statsOf(columns: ReadonlyMap<number, Column>, hourStart: number): Uint8Array {
  const writer = new StatsWriter(hourStart);
  for (const [id, column] of columns) {
    const summary = summarizeColumn(column, hourStart);
    writer.add(id, summary, NOT_DECIMAL, rises(column, summary));
  }
  return writer.finish();
}

/** Latest samples, as rows that take the place of those before. */
const latestRows = (db: Database): ManyRows<PieceWrite['latest'][number]> =>
  new ManyRows(
    db,
    4,
    (values) => `INSERT INTO latest (series_id, ts, value, checksum) VALUES ${values}
      ON CONFLICT (series_id) DO UPDATE SET ts = excluded.ts, value = excluded.value, checksum = excluded.checksum`,
    ([seriesId, time, value]) => [seriesId, time, value, latestChecksum(seriesId, time, value)],
  );

function prepare(db: Database) {
  const one = <P extends unknown[], R>(sql: string): Statement<P, R> => db.prepare<P, R>(sql);
  return {
    // As lists: a start reads all parts, and objects take twice as long.
    partsBetween: one<
      [number, number],
      [id: number, part: number, sealedThrough: number, stats: Uint8Array, raw: number]
    >(
      'SELECT id, part, sealed_through, stats, data IS NOT NULL FROM part WHERE id >= ? AND id <= ? ORDER BY id, part',
    ).raw(),
    parts: one<[number], [part: number, sealedThrough: number, stats: Uint8Array, raw: number]>(
      'SELECT part, sealed_through, stats, data IS NOT NULL FROM part WHERE id = ? ORDER BY part',
    ).raw(),
    part: one<[number, number], StoredPiece>(
      `SELECT id, part, sealed_through AS sealedThrough, stats, data IS NOT NULL AS raw FROM part WHERE id = ? AND part = ?`,
    ),
    chunkData: one<[number], Uint8Array | null>('SELECT data FROM chunk WHERE id = ?').pluck(),
    partData: one<[number, number], Uint8Array | null>('SELECT data FROM part WHERE id = ? AND part = ?').pluck(),
    sealedThrough: one<[number], number>('SELECT sealed_through FROM chunk WHERE id = ?').pluck(),
    partsSealedThrough: one<[number], number>('SELECT max(sealed_through) FROM part WHERE id = ?').pluck(),
    lastSealed: one<[number, number], [id: number, sealedThrough: number]>(
      'SELECT id, sealed_through FROM chunk WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1',
    ).raw(),
    upsertChunk: one<[number, number, Uint8Array, Uint8Array | null], unknown>(
      'REPLACE INTO chunk (id, sealed_through, stats, data) VALUES (?, ?, ?, ?)',
    ),
    insertPart: one<[number, number, number, Uint8Array, Uint8Array | null], unknown>(
      'INSERT INTO part (id, part, sealed_through, stats, data) VALUES (?, ?, ?, ?, ?)',
    ),
    deleteParts: one<[number], unknown>('DELETE FROM part WHERE id = ?'),
    deletePart: one<[number, number], unknown>('DELETE FROM part WHERE id = ? AND part = ?'),
    updateChunkStats: one<[Uint8Array, number], unknown>('UPDATE chunk SET stats = ? WHERE id = ?'),
    updatePartStats: one<[Uint8Array, number, number], unknown>('UPDATE part SET stats = ? WHERE id = ? AND part = ?'),
    dropChunkData: one<[number], unknown>('UPDATE chunk SET data = NULL WHERE id = ?'),
    dropDataOfPart: one<[number, number], unknown>('UPDATE part SET data = NULL WHERE id = ? AND part = ?'),
    dropPartData: one<[number, number], unknown>('UPDATE part SET data = NULL WHERE id >= ? AND id < ?'),
    deleteChunk: one<[number], unknown>('DELETE FROM chunk WHERE id = ?'),
    rawChunks: one<[number, number, number], RowKey>(
      'SELECT id FROM chunk WHERE id >= ? AND id < ? AND data IS NOT NULL ORDER BY id LIMIT ?',
    ),
    anyChunks: one<[number, number, number], RowKey>(
      'SELECT id FROM chunk WHERE id >= ? AND id < ? ORDER BY id LIMIT ?',
    ),
    nextChunk: one<[number], number>('SELECT id FROM chunk WHERE id >= ? ORDER BY id LIMIT 1').pluck(),
    lastBare: one<[number, number], number>(
      'SELECT id FROM chunk WHERE id >= ? AND id < ? AND data IS NULL ORDER BY id DESC LIMIT 1',
    ).pluck(),
  };
}
