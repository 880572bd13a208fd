import type { TimeRange } from '@device-metrics/domain';
import { HOUR } from '@device-metrics/domain';
import { sliceColumn, summarizeColumn, type Column } from '../columnar/column.js';
import { DamagedError, sealFrame } from '../columnar/codec/frame.js';
import { chunkId, deviceOfChunk, hourOfChunk } from '../columnar/hour.js';
import { decodePiece, PieceCursor, type EncodedPiece } from '../columnar/piece.js';
import type { PiecePage, PieceReader, Pieces, PieceWrite, StoredPiece, VisitSummary } from '../columnar/pieces.js';
import { readStats } from '../columnar/stats.js';
import { PartIndex } from '../columnar/part-index.js';
import type { DamagedRows } from './damaged-rows.js';
import type { Database, Transaction } from './database.js';
import { joinThrough, type Through } from './position-log.js';

/** Rows that one query gives of many devices, at most, and of each of them. */
const STATS = { devices: 64, rows: 64 };
const SAMPLES = { devices: 16, rows: 16 };

/** Rows that one statement writes. */
const ROWS = 64;

/** Hours of a device, on the average, from which on each device is asked for by itself. */
const MANY_HOURS = 16;

/** No hour is later. */
const END = 2 ** 31 - 1;

interface Row {
  readonly device_id: number;
  readonly hour: number;
  readonly part: number;
  readonly sealed_through: number;
  readonly through: string;
  readonly stats: Uint8Array;
  readonly raw: boolean;
  readonly data: Uint8Array | null;
}

interface ThroughRow {
  readonly device_id: number;
  readonly hour: number;
  readonly through: string;
}

/** What is written of a piece. */
type PieceRow = readonly [
  device: number,
  hour: number,
  part: number,
  through: string,
  stats: Uint8Array,
  data: Uint8Array | null,
];

interface PgPiece extends StoredPiece {
  readonly through: string;
  /** What its stats are sealed under; `sealedThrough` is of the process that reads. */
  readonly statsKey: number;
  /** Of a piece that was gone when its samples were fetched: those of the chunk that it is in since. */
  chunk?: Uint8Array | undefined;
}

const COLUMNS = 'p.device_id, p.hour, p.part, p.sealed_through, p.through, p.stats, p.data IS NOT NULL AS raw';

/** The sealed samples in the table `piece`, where part 0 is the chunk. */
export class PgPieces implements Pieces {
  /** Of the devices that this process seals. */
  readonly partIndex = new PartIndex();
  private readonly closed = new Set<number>();

  constructor(
    private readonly database: Database,
    private readonly damaged: DamagedRows,
    private readonly now: () => number,
    private readonly onProblem: (problem: unknown) => void,
  ) {}

  reader(
    deviceIds: readonly number[],
    range: TimeRange,
    wantsSamples: 'of all hours' | 'of hours that it cuts',
  ): PieceReader {
    return new PgReader(this.database, deviceIds, range, wantsSamples === 'of all hours');
  }

  async at(deviceId: number, hour: number): Promise<StoredPiece[]> {
    const rows = await this.database.rows<Row>(
      `SELECT ${COLUMNS}, p.data FROM piece p WHERE device_id = $1 AND hour = $2 ORDER BY part`,
      [deviceId, hour],
    );
    return rows.map(pieceOf);
  }

  hasParts(id: number): boolean {
    return this.partIndex.has(id);
  }

  async sealedOf(ids: readonly number[]): Promise<Set<number>> {
    const rows = await this.throughRows(ids);
    return new Set(rows.map(({ device_id, hour }) => chunkId(device_id, hour)));
  }

  withParts(): Iterable<{ readonly id: number; readonly since: number }> {
    return this.partIndex.all();
  }

  async lastBareHour(deviceId: number, from: number, to: number): Promise<number | undefined> {
    const [row] = await this.database.rows<{ hour: number }>(
      `SELECT hour FROM piece WHERE device_id = $1 AND hour >= $2 AND hour < $3 AND part = 0 AND data IS NULL
       ORDER BY hour DESC LIMIT 1`,
      [deviceId, from, to],
    );
    return row?.hour;
  }

  /** Takes in which hours of devices of these shards have parts. */
  async loadParts(shards: readonly number[], shardOf: (deviceId: number) => number, count: number): Promise<void> {
    for (const { id } of [...this.partIndex.all()]) {
      if (shards.includes(shardOf(deviceOfChunk(id)))) this.partIndex.delete(id);
    }
    const rows = await this.database.rows<{ device_id: number; hour: number; last: number }>(
      `SELECT device_id, hour, max(part) AS last FROM piece WHERE part > 0 AND device_id % $2 = ANY($1)
       GROUP BY device_id, hour`,
      [shards, count],
    );
    for (const { device_id, hour, last } of rows) this.partIndex.add(chunkId(device_id, hour), last, this.now());
  }

  /** Calls `visit` with the summaries of all parts. */
  async summariesOfParts(visit: VisitSummary): Promise<void> {
    const rows = await this.database.rows<Row>(`SELECT ${COLUMNS}, NULL AS data FROM piece p WHERE part > 0`);
    for (const row of rows) this.summaries(pieceOf(row), visit);
  }

  /** By device and hour the journal rows that are in what is sealed. */
  async through(ids: readonly number[]): Promise<Map<number, Through>> {
    const found = new Map<number, Through>(ids.map((id) => [id, {}]));
    for (const { device_id, hour, through } of await this.throughRows(ids)) {
      const id = chunkId(device_id, hour);
      found.set(id, joinThrough(found.get(id) ?? {}, JSON.parse(through) as Through));
    }
    return found;
  }

  private async throughRows(ids: readonly number[]): Promise<ThroughRow[]> {
    if (ids.length === 0) return [];
    const hours = byDevice(ids);
    // Of few devices with many hours each Citus would ask every shard for all of them.
    if (ids.length > MANY_HOURS * hours.size) {
      return (await Promise.all(Array.from(hours, (one) => this.throughOfDevice(...one)))).flat();
    }
    return this.database.rows<ThroughRow>(
      `SELECT p.device_id, p.hour, p.through FROM piece p
       JOIN unnest($1::bigint[], $2::integer[]) AS w (device_id, hour) USING (device_id, hour)`,
      [ids.map(deviceOfChunk), ids.map(hourOfChunk)],
    );
  }

  private throughOfDevice(deviceId: number, hours: readonly number[]): Promise<ThroughRow[]> {
    return this.database.rows<ThroughRow>(
      'SELECT device_id, hour, through FROM piece WHERE device_id = $1 AND hour = ANY($2)',
      [deviceId, hours],
    );
  }

  /** The first pieces of each device. */
  async first(deviceIds: readonly number[]): Promise<Map<number, StoredPiece[]>> {
    const rows = await rowsOfDevices(this.database, `${COLUMNS}, NULL AS data`, deviceIds, [-(2 ** 31), END, 8]);
    const found = new Map<number, StoredPiece[]>();
    for (const row of rows) {
      const known = found.get(row.device_id);
      if (!known) found.set(row.device_id, [pieceOf(row)]);
      else if (hourOfChunk(known[0].id) === row.hour) known.push(pieceOf(row));
    }
    return found;
  }

  async dropData(deviceId: number, from: number, to: number): Promise<undefined> {
    await this.database.run(
      'UPDATE piece SET data = NULL WHERE device_id = $1 AND hour >= $2 AND hour < $3 AND data IS NOT NULL',
      [deviceId, from, to],
    );
  }

  async delete(deviceId: number, from: number, to: number): Promise<undefined> {
    await this.database.run('DELETE FROM piece WHERE device_id = $1 AND hour >= $2 AND hour < $3', [
      deviceId,
      from,
      to,
    ]);
    for (const hour of [...this.partIndex.hoursOf(deviceId)]) {
      if (hour >= from && hour < to) this.partIndex.delete(chunkId(deviceId, hour));
    }
  }

  /** A device is gone with all its pieces. */
  forget(deviceId: number): void {
    for (const hour of [...this.partIndex.hoursOf(deviceId)]) this.partIndex.delete(chunkId(deviceId, hour));
  }

  isClosed(id: number): boolean {
    return this.closed.has(id);
  }

  close(id: number, damage?: unknown): void {
    this.closed.add(id);
    if (damage !== undefined) this.onProblem(damage);
  }

  columns(piece: StoredPiece, wanted?: { has(seriesId: number): boolean }): Map<number, Column> {
    const { chunk } = piece as PgPiece;
    const data = chunk ?? piece.data;
    if (!data) return new Map();
    const part = chunk ? 0 : piece.part;
    try {
      const columns = decodePiece(data, [piece.id, part], wanted);
      return chunk ? this.ownOf(piece, columns) : columns;
    } catch (error) {
      this.setAside('data', { ...piece, part }, data, error);
      return new Map();
    }
  }

  cursor(piece: StoredPiece): PieceCursor | undefined {
    const { id, part, data } = piece;
    try {
      return data ? new PieceCursor(data, [id, part]) : undefined;
    } catch (error) {
      if (data) this.setAside('data', piece, data, error);
      return undefined;
    }
  }

  /** Of the columns of the chunk that a piece is in those samples that lie between the piece's first and last. */
  private ownOf(piece: StoredPiece, columns: ReadonlyMap<number, Column>): Map<number, Column> {
    const start = hourOfChunk(piece.id) * HOUR;
    const own = new Map<number, Column>();
    const take: VisitSummary = (id, { firstTime, lastTime }) => {
      const column = columns.get(id);
      if (column) own.set(id, sliceColumn(column, firstTime - start, lastTime + 1 - start));
    };
    readStats(piece.stats, [piece.id, piece.part, (piece as PgPiece).statsKey], start, take, columns);
    return own;
  }

  summaries(piece: StoredPiece, visit: VisitSummary, wanted?: { has(seriesId: number): boolean }): void {
    const hourStart = hourOfChunk(piece.id) * HOUR;
    try {
      readStats(piece.stats, [piece.id, piece.part, (piece as PgPiece).statsKey], hourStart, visit, wanted);
    } catch (error) {
      this.setAside('stats', piece, piece.stats, error);
      for (const [id, column] of this.columns(piece, wanted)) visit(id, summarizeColumn(column, hourStart));
    }
  }

  /** Writes pieces; `through` says which journal rows are in what they were made of. */
  async write(
    transaction: Transaction,
    rows: readonly PieceWrite[],
    through: (row: PieceWrite) => Through,
  ): Promise<void> {
    const ids = [...new Set(rows.map(({ id }) => deviceOfChunk(id)))];
    const kept = await transaction.rows<{ id: number }>(
      'SELECT id FROM device WHERE id = ANY($1) ORDER BY id FOR KEY SHARE',
      [ids],
    );
    const there = new Set(kept.map(({ id }) => id));
    const wanted = rows.filter(({ id }) => there.has(deviceOfChunk(id)));
    await deleteParts(transaction, wanted);
    const written: PieceRow[] = [];
    for (const row of wanted) {
      const its = JSON.stringify(row.under.reduce((joined, one) => joinThrough(joined, throughOf(one)), through(row)));
      if (row.piece) written.push(this.rowOf(row, row.piece, its));
      else if (row.kind === 'chunk') await noteThrough(transaction, row.id, its);
    }
    for (let from = 0; from < written.length; from += ROWS) await insert(transaction, written.slice(from, from + ROWS));
    await saveLatest(
      transaction,
      wanted.flatMap((row) => row.latest.map((one) => [deviceOfChunk(row.id), ...one] as const)),
    );
  }

  /** Takes note of chunks, once they are committed. */
  written(rows: readonly PieceWrite[]): void {
    const withPart = new Set(rows.flatMap(({ id, kind }) => (kind === 'part' ? [id] : [])));
    for (const { id, kind } of rows) if (kind === 'chunk' && !withPart.has(id)) this.partIndex.delete(id);
  }

  /** With the number of the part. */
  private rowOf({ id, kind }: PieceWrite, { stats, data }: EncodedPiece, through: string): PieceRow {
    const part = kind === 'chunk' ? 0 : this.partIndex.nextPart(id);
    sealFrame(stats, [id, part, 0]);
    if (data) sealFrame(data, [id, part]);
    if (kind === 'part') this.partIndex.add(id, part, this.now());
    return [deviceOfChunk(id), hourOfChunk(id), part, through, Buffer.from(stats), data && Buffer.from(data)];
  }

  private setAside(what: 'data' | 'stats', { id, part }: StoredPiece, bytes: Uint8Array, error: unknown): void {
    if (!isDamage(error)) throw error;
    this.damaged.setAside(`${part === 0 ? 'chunk' : `part ${part}`} ${what}`, id, bytes, error);
  }
}

/** Takes away the parts that chunks take the place of: of old data a device may have chunks of very many hours. */
async function deleteParts(transaction: Transaction, rows: readonly PieceWrite[]): Promise<void> {
  const hours = byDevice(rows.flatMap(({ id, kind }) => (kind === 'chunk' ? [id] : [])));
  for (const [device, its] of hours) {
    await transaction.run('DELETE FROM piece WHERE device_id = $1 AND hour = ANY($2) AND part > 0', [device, its]);
  }
}

/** The hours of each device. */
function byDevice(ids: readonly number[]): Map<number, number[]> {
  const hours = new Map<number, number[]>();
  for (const id of ids) {
    const its = hours.get(deviceOfChunk(id));
    if (its) its.push(hourOfChunk(id));
    else hours.set(deviceOfChunk(id), [hourOfChunk(id)]);
  }
  return hours;
}

/** Says of a chunk that stays as it is which journal rows are in it. */
const noteThrough = (transaction: Transaction, id: number, through: string): Promise<number> =>
  transaction.run('UPDATE piece SET through = $3 WHERE device_id = $1 AND hour = $2 AND part = 0', [
    deviceOfChunk(id),
    hourOfChunk(id),
    through,
  ]);

async function insert(transaction: Transaction, rows: readonly PieceRow[]): Promise<void> {
  const values = rows.map((row, at) => {
    const [device, hour, part, ...others] = row.map((_, column) => `$${at * row.length + column + 1}`);
    return `(${[device, hour, part, 0, ...others].join(', ')})`;
  });
  await transaction.run(
    `INSERT INTO piece (device_id, hour, part, sealed_through, through, stats, data) VALUES ${values.join(', ')}
     ON CONFLICT (device_id, hour, part) DO UPDATE SET sealed_through = 0, through = excluded.through,
       stats = excluded.stats, data = excluded.data`,
    rows.flat(),
  );
}

/** Whether bytes are not what was written, as against a mistake in the program. */
export const isDamage = (error: unknown): boolean => error instanceof DamagedError || error instanceof RangeError;

/** Writes latest samples of series of devices: series, time and value. */
export async function saveLatest(
  transaction: Transaction,
  all: readonly (readonly [deviceId: number, seriesId: number, time: number, value: number])[],
): Promise<void> {
  // One row of a key only: of a device several hours may be sealed together.
  const newest = new Map<number, (typeof all)[number]>();
  for (const one of all) if (!(one[2] < (newest.get(one[1])?.[2] ?? 0))) newest.set(one[1], one);
  if (newest.size === 0) return;
  const column = (at: 0 | 1 | 2 | 3): number[] => Array.from(newest.values(), (one) => one[at]);
  await transaction.run(
    `INSERT INTO latest (device_id, series_id, ts, value)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::double precision[])
     ON CONFLICT (device_id, series_id) DO UPDATE SET ts = excluded.ts, value = excluded.value`,
    [column(0), column(1), column(2), column(3).map((value) => (Object.is(value, -0) ? '-0' : value))],
  );
}

const throughOf = (piece: StoredPiece): Through => JSON.parse((piece as PgPiece).through) as Through;

const pieceOf = (row: Row): PgPiece => ({
  id: chunkId(row.device_id, row.hour),
  part: row.part,
  sealedThrough: 0,
  statsKey: row.sealed_through,
  through: row.through,
  stats: row.stats,
  raw: row.raw ? 1 : 0,
  data: row.data ?? undefined,
});

/** The first rows of each device, at most so many, in order of device, hour and part; prepared under `name`, if it has one. */
async function rowsOfDevices(
  database: Database,
  columns: string,
  ids: readonly number[],
  range: readonly [from: number, to: number, limit: number],
  name?: string,
): Promise<Row[]> {
  if (await database.isSpread()) {
    // Citus takes no limit for each of many devices, but counts their rows on each node.
    return database.rows<Row>(
      `SELECT ${columns} FROM (
         SELECT *, row_number() OVER (PARTITION BY device_id ORDER BY hour, part) AS place FROM piece
         WHERE device_id = ANY($1) AND hour >= $2 AND hour < $3) p
       WHERE place <= $4 ORDER BY p.device_id, p.hour, p.part`,
      [ids, ...range],
    );
  }
  return database.rows<Row>(
    `SELECT ${columns} FROM unnest($1::bigint[]) AS d (id), LATERAL (
       SELECT * FROM piece WHERE device_id = d.id AND hour >= $2 AND hour < $3 ORDER BY hour, part LIMIT $4) p
     ORDER BY p.device_id, p.hour, p.part`,
    [ids, ...range],
    name,
  );
}

/** Fetches pieces of several devices at once, in the order in which they are asked for. */
class PgReader implements PieceReader {
  private readonly order: readonly number[];
  private readonly pages = new Map<number, { readonly from: number; readonly page: PiecePage }>();
  private readonly data: string;
  /** Of the statement, where its text is always the same. */
  private readonly name: string | undefined;

  constructor(
    private readonly database: Database,
    deviceIds: readonly number[],
    { start, end }: TimeRange,
    private readonly withSamples: boolean,
  ) {
    this.order = [...new Set(deviceIds)];
    const cut = [start, end].flatMap((time) => (time % HOUR === 0 ? [] : [Math.floor(time / HOUR)]));
    const hours = cut.length === 0 ? 'false' : `p.hour IN (${cut.map((hour) => Math.trunc(hour)).join(', ')})`;
    this.name = withSamples ? 'pieces with samples' : cut.length === 0 ? 'pieces' : undefined;
    this.data = withSamples ? 'p.data' : `CASE WHEN ${hours} THEN p.data END AS data`;
  }

  async page(deviceId: number, from: number, to: number): Promise<PiecePage> {
    const known = this.pages.get(deviceId);
    this.pages.delete(deviceId);
    if (known?.from === from) return known.page;
    const limits = this.withSamples ? SAMPLES : STATS;
    const at = this.order.indexOf(deviceId);
    // Of a device that goes on, or comes again, nothing is known of what comes next.
    const isFirst = !known && this.pages.size === 0;
    if (isFirst) await this.readSome(this.order.slice(at, at + limits.devices), from, to, limits.rows);
    if (!this.pages.has(deviceId)) await this.readSome([deviceId], from, to, limits.devices * limits.rows);
    const read = this.pages.get(deviceId)?.page ?? (await this.wholeHour(deviceId, from, to));
    this.pages.delete(deviceId);
    return read;
  }

  private async readSome(ids: readonly number[], from: number, to: number, limit: number): Promise<void> {
    const range = [from, Math.min(to, END), limit] as const;
    const rows = await rowsOfDevices(this.database, `${COLUMNS}, ${this.data}`, ids, range, this.name);
    const byDevice = new Map<number, Row[]>(ids.map((id) => [id, []]));
    for (const row of rows) byDevice.get(row.device_id)?.push(row);
    for (const [id, some] of byDevice) {
      const page = pageOf(some, to, limit);
      if (page) this.pages.set(id, { from, page });
    }
  }

  /** The first hour alone, which has more parts than are read at a time. */
  private async wholeHour(deviceId: number, from: number, to: number): Promise<PiecePage> {
    const rows = await this.database.rows<Row>(
      `SELECT ${COLUMNS}, ${this.data} FROM piece p WHERE device_id = $1 AND hour =
         (SELECT min(hour) FROM piece WHERE device_id = $1 AND hour >= $2 AND hour < $3) ORDER BY part`,
      [deviceId, from, Math.min(to, END)],
    );
    return pageOf(rows, rows.length === 0 ? to : rows[0].hour + 1, Infinity) as PiecePage;
  }

  fetch(pieces: readonly StoredPiece[]): Promise<void> | undefined {
    const missing = pieces.filter(({ raw, data }) => raw === 1 && !data);
    if (missing.length === 0) return undefined;
    const [{ id }] = missing;
    return this.database
      .rows<{
        part: number;
        through: string;
        data: Uint8Array | null;
      }>('SELECT part, through, data FROM piece WHERE device_id = $1 AND hour = $2', [
        deviceOfChunk(id),
        hourOfChunk(id),
      ])
      .then((rows) => {
        const chunk = rows.find(({ part }) => part === 0)?.data ?? undefined;
        for (const piece of missing as PgPiece[]) {
          // Numbers of parts come again, what is in them does not.
          const row = rows.find(({ part, through }) => part === piece.part && through === piece.through);
          if (row) piece.data = row.data ?? undefined;
          else piece.chunk = chunk;
        }
      });
  }
}

/** An hour whose rows may not all be there belongs to the next page; undefined where there is no other. */
function pageOf(rows: readonly Row[], to: number, limit: number): PiecePage | undefined {
  const hours = new Map<number, StoredPiece[]>();
  for (const row of rows) {
    const known = hours.get(row.hour);
    if (known) known.push(pieceOf(row));
    else hours.set(row.hour, [pieceOf(row)]);
  }
  if (rows.length < limit) return { hours, end: to };
  const last = rows[rows.length - 1].hour;
  hours.delete(last);
  return hours.size === 0 ? undefined : { hours, end: last };
}
