import type { Series } from '@device-metrics/domain';
import { openJournalRow, type OpenRow, type RowSeries } from '../columnar/codec/journal-row.js';
import { ByteWriter } from '../columnar/codec/bytes.js';
import type { DeviceRun } from '../columnar/series-places.js';
import type { DamagedRows } from './damaged-rows.js';
import type { Database } from './database.js';
import { isDamage } from './pieces.js';
import { fieldsOf, int8Of, type Statement } from './rows-as-bytes.js';
import { rowKey } from './writer.js';

/** Rows of the journal that are read at a time: those of about so many bytes, as far as the size of the last ones tells. */
const PAGE_BYTES = 1 << 22;
const SHORTEST_PAGE = 16;
const LONGEST_PAGE = 512;

/** Writers whose rows are read together from the beginning. */
const TOGETHER = 8;

/** Bytes of a page whose memory is kept for the next one. */
const MOST_KEPT = 1 << 23;

/** Rows with other series that are remembered of each writer: what shares a commit differs, but comes again. */
const REMEMBERED = 4;

const LOOK: Statement = {
  name: 'look',
  // Not writer.last: where tables lie on several nodes, that may be seen before the row itself.
  text: `SELECT writer.id, coalesce((SELECT max(number) FROM journal WHERE journal.writer = writer.id), 0) AS last,
      catalogue_state.version, writer.until > statement_timestamp() AS lives,
      (date_part('epoch', statement_timestamp()) * 1000000)::bigint AS now
    FROM writer CROSS JOIN catalogue_state`,
  values: [],
};

const ROWS_BEHIND = {
  name: 'rows behind',
  text: `SELECT writer, number, at, data FROM journal WHERE writer = $1 AND number > $2 ORDER BY number LIMIT ${SHORTEST_PAGE}`,
};

/** Rows of a writer behind `after`, up to `last`. */
export interface Unread {
  readonly writer: number;
  readonly after: number;
  readonly last: number;
}

interface WriterState {
  readonly id: number;
  readonly last: number;
  readonly lives: boolean;
  /** Of the catalogue. */
  readonly version: number;
  /** The database's clock, microseconds. */
  readonly now: number;
}

/** A row of another process; what it has holds until the next page is read. */
export interface ReadRow {
  readonly writer: number;
  readonly number: number;
  /** The database's clock, microseconds. */
  readonly at: number;
  /** Undefined where it is damaged. */
  readonly row: OpenRow | undefined;
  readonly series: FoundSeries | undefined;
}

/** The series of the samples of a row, and what the catalogue of a version has of them. */
export interface FoundSeries extends RowSeries {
  readonly slots: Uint32Array;
  /** Without those that have been deleted. */
  runs: readonly DeviceRun[];
  version: number;
  /** Whether all are there. */
  isWhole: boolean;
  /** As callers see those that are there, once somebody has asked for them. */
  described: readonly Series[] | undefined;
}

/** Reads the journal rows of other processes. */
export class OthersRows {
  /** Of each writer those of its last rows, by how many they are. */
  private readonly lastSeries = new Map<number, Map<number, FoundSeries>>();
  private readonly bytes = new ByteWriter(0);
  private limit = SHORTEST_PAGE;
  /** Writers that live and had few unread rows the last time. */
  private near: readonly number[] = [];

  constructor(
    private readonly database: Database,
    private readonly damaged: DamagedRows,
  ) {}

  /**
   * What each writer has, and of those that are near the rows that have come since, which saves to ask again; see `pages`.
   *
   * @param seenOf the last row of a writer that is known, Infinity of this process's own; without it no rows come.
   */
  async look(seenOf?: (writer: number) => number): Promise<{ writers: WriterState[]; rows: ReadRow[] }> {
    const near = seenOf ? this.near : [];
    const statements = near.map((writer) => ({ ...ROWS_BEHIND, values: [`${writer}`, `${seenOf?.(writer)}`] }));
    // Rows of before may still be needed by who reads them, but for who now asks for more.
    const bytes = seenOf ? this.clear() : new ByteWriter();
    const ends = await this.database.rowsAsBytes([LOOK, ...statements], bytes);
    const all = bytes.written();
    const writers = Array.from(fieldsOf(all.subarray(0, ends[0])), writerOf);
    const lasts = new Map(writers.map(({ id, last }) => [id, last]));
    for (const writer of this.lastSeries.keys()) if (!lasts.has(writer)) this.lastSeries.delete(writer);
    const rows = Array.from(fieldsOf(all.subarray(ends[0])), (fields) => this.rowOf(fields))
      // What has come since belongs to the next look.
      .filter(({ writer, number }) => number <= (lasts.get(writer) ?? 0))
      .sort((a, b) => a.at - b.at || a.writer - b.writer || a.number - b.number);
    if (seenOf) {
      const isNear = ({ id, last, lives }: WriterState): boolean =>
        lives && seenOf(id) < Infinity && last - seenOf(id) <= SHORTEST_PAGE;
      this.near = writers
        .filter(isNear)
        .slice(0, TOGETHER)
        .map(({ id }) => id);
    }
    return { writers, rows };
  }

  /**
   * In the order of the database's clock; of one writer it goes up with the numbers.
   *
   * @param rows that came with the look: where they are all that is unread, nothing more is asked for.
   */
  async *pages(unread: readonly Unread[], rows: readonly ReadRow[] = []): AsyncGenerator<readonly ReadRow[]> {
    if (unread.length === 0) return;
    if (unread.reduce((sum, { after, last }) => sum + last - after, 0) === rows.length) {
      yield rows;
      return;
    }
    // After many restarts there are many writers, each of which took its turn: only those are looked at that may be next. Citus
    // takes no limit for each of many.
    const areMany = unread.length > TOGETHER && !(await this.database.isSpread());
    const later = areMany ? await this.withFirst(unread) : [];
    const open = new Map(later.length > 0 ? [] : unread.map((one) => [one.writer, one]));
    for (let isFull = false; open.size > 0 || later.length > 0;) {
      const [next] = isFull && open.size > 0 ? [] : later.splice(0, 1);
      if (next) open.set(next.writer, next);
      const before = later[0]?.at ?? Infinity;
      const { limit } = this;
      const rows = await this.page([...open.values()], before, limit);
      for (const { writer, number } of rows) {
        const { last } = open.get(writer) as Unread;
        open.set(writer, { writer, after: number, last });
      }
      isFull = rows.length === limit;
      if (!isFull && before === Infinity) open.clear();
      for (const [writer, { after, last }] of open) if (after === last) open.delete(writer);
      if (rows.length > 0) yield rows;
    }
  }

  /** With the time of the first row of each, by that time; those that have none are left out. */
  private async withFirst(unread: readonly Unread[]): Promise<(Unread & { readonly at: number })[]> {
    return this.database.rows(
      `SELECT u.writer, u.after, u.last, j.at FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS u (writer, after, last),
         LATERAL (SELECT at FROM journal WHERE writer = u.writer AND number > u.after ORDER BY number LIMIT 1) j ORDER BY j.at`,
      [unread.map(({ writer }) => writer), unread.map(({ after }) => after), unread.map(({ last }) => last)],
    );
  }

  private async page(unread: readonly Unread[], before: number, limit: number): Promise<ReadRow[]> {
    const columns = 'SELECT writer, number, at, data FROM journal WHERE';
    const bound = before === Infinity ? '' : `AND at < ${before}`;
    const ranges = unread.map(
      ({ writer, after, last }) => `writer = ${writer} AND number > ${after} AND number <= ${last} ${bound}`,
    );
    const inOrder = `ORDER BY at, writer, number LIMIT ${limit}`;
    const ofEach = ranges.map((range) => `(${columns} ${range} ORDER BY number LIMIT ${limit})`);
    const all =
      ranges.length === 1
        ? ofEach[0]
        : (await this.database.isSpread())
          ? `${columns} (${ranges.join(' OR ')}) ${inOrder}`
          : `SELECT * FROM (${ofEach.join(' UNION ALL ')}) j ${inOrder}`;
    const bytes = this.clear();
    await this.database.rowsAsBytes([{ text: all, values: [] }], bytes);
    const rows = Array.from(fieldsOf(bytes.written()), (fields) => this.rowOf(fields));
    if (rows.length > 0) {
      const fitting = Math.floor((rows.length * PAGE_BYTES) / bytes.length);
      this.limit = Math.min(LONGEST_PAGE, 2 * limit, Math.max(SHORTEST_PAGE, fitting));
    }
    return rows;
  }

  /** The memory of rows, empty: what is left of those of before is gone. */
  private clear(): ByteWriter {
    this.bytes.clear();
    if (this.bytes.bytes.length > MOST_KEPT) this.bytes.bytes = new Uint8Array(0);
    return this.bytes;
  }

  private rowOf([writerField, numberField, atField, data]: readonly Uint8Array[]): ReadRow {
    const [writer, number, at] = [int8Of(writerField), int8Of(numberField), int8Of(atField)];
    const known = this.lastSeries.get(writer) ?? new Map<number, FoundSeries>();
    this.lastSeries.set(writer, known);
    try {
      const row = openJournalRow(data, rowKey(writer, number), (count) => known.get(count));
      const count = row.series.ids.length;
      const before = known.get(count);
      if (row.series === before) return { writer, number, at, row, series: before };
      const { ids, bytes, isPacked } = row.series;
      const slots = new Uint32Array(count);
      const series = { ids, bytes, isPacked, slots, runs: [], version: -1, isWhole: false, described: undefined };
      known.delete(count);
      known.set(count, series);
      for (const oldest of known.keys()) if (known.size > REMEMBERED) known.delete(oldest);
      return { writer, number, at, row, series };
    } catch (error) {
      if (!isDamage(error)) throw error;
      this.damaged.setAside('journal', rowKey(writer, number), data, error);
      return { writer, number, at, row: undefined, series: undefined };
    }
  }
}

const writerOf = ([id, last, version, lives, now]: readonly Uint8Array[]): WriterState => ({
  ...{ id: int8Of(id), last: int8Of(last), version: int8Of(version) },
  ...{ lives: lives[0] === 1, now: int8Of(now) },
});

/** Whether rows come without a gap: each writer counts its own. */
export class Turn {
  private readonly next: Map<number, number>;

  /** @param isFirst what was sealed long ago may be gone before the first row of a writer. */
  constructor(
    private readonly unread: readonly Unread[],
    private readonly isFirst: boolean,
  ) {
    this.next = new Map(isFirst ? [] : unread.map(({ writer, after }) => [writer, after + 1]));
  }

  isOf({ writer, number }: ReadRow): boolean {
    const isRight = number === (this.next.get(writer) ?? (this.isFirst ? number : 1));
    this.next.set(writer, number + 1);
    return isRight;
  }

  isOver(): boolean {
    return this.unread.every(({ writer, last }) => this.next.get(writer) === last + 1);
  }
}
