import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

/**
 * Reads what the pages of a SQLite file hold, one by one, without asking its trees where they are: of a file that is
 * truncated, or has a broken schema, SQLite itself gives nothing. Format: https://www.sqlite.org/fileformat2.html
 */

export type SqlValue = number | string | Buffer | null;

/** One row of a table, or one entry of an index or of a table without row ids. */
export interface PageRecord {
  /** Undefined in an entry. */
  readonly rowId: number | undefined;
  readonly values: readonly SqlValue[];
}

const TABLE_LEAF = 0x0d;
const INDEX_LEAF = 0x0a;
/** What a page map calls a page that holds nothing any more. */
const FREE_PAGE = 2;
const LARGEST_RECORD = 64 * 2 ** 20;
const FILE_HEADER = 100;
const WAL_HEADER = 32;
const FRAME_HEADER = 24;

/** Every record that can be read, in the order of the pages. What cannot be read costs none of the others. */
export function* recordsOfPages(file: string): Generator<PageRecord> {
  const pages = new Pages(file);
  try {
    for (let number = 1; number <= pages.count; number += 1) {
      const page = pages.isFree(number) ? undefined : pages.read(number);
      if (page) yield* recordsOf(page, number, pages);
    }
  } finally {
    pages.close();
  }
}

/** The pages as they were after the last commit: those of the write-ahead log stand before those of the file. */
class Pages {
  readonly size: number;
  readonly count: number;
  /** Whether pages are mapped (auto_vacuum). */
  private readonly hasMap: boolean;
  private map: { readonly number: number; readonly page: Buffer | undefined } | undefined;
  private readonly main: number;
  private readonly wal: number | undefined;
  /** Where in the log the newest committed content of a page stands. */
  private readonly inWal = new Map<number, number>();

  constructor(file: string) {
    this.main = openSync(file, 'r');
    this.wal = existsSync(`${file}-wal`) ? openSync(`${file}-wal`, 'r') : undefined;
    const header = readAt(this.main, 0, FILE_HEADER);
    const size = header?.readUInt16BE(16) ?? 0;
    const isSize = size === 1 || (size >= 512 && (size & (size - 1)) === 0);
    this.size = size === 1 ? 65_536 : isSize ? size : 4_096;
    this.hasMap = header?.toString('latin1', 0, 15) !== 'SQLite format 3' || header.readUInt32BE(52) !== 0;
    const committed = this.readWal();
    this.count = committed ?? Math.ceil(fstatSync(this.main).size / this.size);
  }

  read(number: number): Buffer | undefined {
    const at = this.inWal.get(number);
    if (at !== undefined && this.wal !== undefined) return readAt(this.wal, at, this.size);
    return readAt(this.main, (number - 1) * this.size, this.size);
  }

  /** Whether a page holds what was deleted; known where the file can give pages back to the disk, as all of ours can. */
  isFree(number: number): boolean {
    if (!this.hasMap || number < 3) return false;
    const span = Math.floor(this.size / 5) + 1;
    const map = Math.floor((number - 2) / span) * span + 2;
    if (map === number) return true;
    return this.readMap(map)?.[(number - map - 1) * 5] === FREE_PAGE;
  }

  close(): void {
    closeSync(this.main);
    if (this.wal !== undefined) closeSync(this.wal);
  }

  private readMap(number: number): Buffer | undefined {
    if (this.map?.number !== number) this.map = { number, page: this.read(number) };
    return this.map.page;
  }

  /** @returns how many pages the file has after the last commit of the log; undefined where the log has none. */
  private readWal(): number | undefined {
    const header = this.wal === undefined ? undefined : readAt(this.wal, 0, WAL_HEADER);
    if (this.wal === undefined || !header) return undefined;
    const salt = header.subarray(16, 24);
    let committed: number | undefined;
    let uncommitted = new Map<number, number>();
    for (let at = WAL_HEADER; ; at += FRAME_HEADER + this.size) {
      const frame = readAt(this.wal, at, FRAME_HEADER);
      if (!frame || frame.length < FRAME_HEADER || !frame.subarray(8, 16).equals(salt)) return committed;
      uncommitted.set(frame.readUInt32BE(0), at + FRAME_HEADER);
      const pagesAfter = frame.readUInt32BE(4);
      if (pagesAfter === 0) continue;
      for (const [number, offset] of uncommitted) this.inWal.set(number, offset);
      uncommitted = new Map();
      committed = pagesAfter;
    }
  }
}

/** What there is of so many bytes, zeros behind it; undefined where there is nothing. */
function readAt(handle: number, position: number, length: number): Buffer | undefined {
  const bytes = Buffer.alloc(length);
  try {
    return readSync(handle, bytes, 0, length, position) > 0 ? bytes : undefined;
  } catch {
    // The disk itself cannot read it.
    return undefined;
  }
}

function* recordsOf(page: Buffer, number: number, pages: Pages): Generator<PageRecord> {
  const start = number === 1 ? FILE_HEADER : 0;
  const type = page[start];
  if (type !== TABLE_LEAF && type !== INDEX_LEAF) return;
  const cells = page.readUInt16BE(start + 3);
  for (let cell = 0; cell < cells && start + 10 + 2 * cell <= page.length; cell += 1) {
    const record = tryRead(() => recordAt(page, page.readUInt16BE(start + 8 + 2 * cell), type === TABLE_LEAF, pages));
    if (record) yield record;
  }
}

function tryRead<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function recordAt(page: Buffer, offset: number, isTable: boolean, pages: Pages): PageRecord {
  const cell = new Cursor(page, offset);
  const length = cell.varint();
  if (length > LARGEST_RECORD) throw new RangeError(`no record has ${length} bytes`);
  const rowId = isTable ? cell.varint() : undefined;
  return { rowId, values: valuesOf(payloadOf(cell, length, isTable, pages)) };
}

/** The bytes of a record: what stands in its page, and the chain of further pages behind that. */
function payloadOf({ bytes, at }: Cursor, length: number, isTable: boolean, pages: Pages): Buffer {
  const usable = pages.size;
  const most = isTable ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  if (length <= most) return bytes.subarray(at, at + length);
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const wanted = least + ((length - least) % (usable - 4));
  const local = wanted <= most ? wanted : least;
  const parts = [bytes.subarray(at, at + local)];
  let next = bytes.readUInt32BE(at + local);
  for (let got = local; got < length; got += usable - 4) {
    const page = next === 0 ? undefined : pages.read(next);
    if (!page) throw new RangeError('the chain of pages ends too early');
    parts.push(page.subarray(4, 4 + Math.min(usable - 4, length - got)));
    next = page.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

function valuesOf(record: Buffer): SqlValue[] {
  const header = new Cursor(record, 0);
  const body = new Cursor(record, header.varint());
  const end = body.at;
  const values: SqlValue[] = [];
  while (header.at < end) values.push(body.value(header.varint()));
  if (body.at > record.length) throw new RangeError('the record is shorter than it says');
  return values;
}

const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8];

class Cursor {
  constructor(
    readonly bytes: Buffer,
    public at: number,
  ) {}

  varint(): number {
    let value = 0;
    for (let index = 0; index < 9; index += 1) {
      const byte = this.bytes.readUInt8(this.at++);
      if (index === 8) return value * 256 + byte;
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return value;
  }

  value(type: number): SqlValue {
    if (type === 0) return null;
    if (type === 8 || type === 9) return type - 8;
    if (type === 7) return this.take(8).readDoubleBE();
    if (type < 7) return this.integer(INTEGER_BYTES[type] ?? 0);
    if (type < 12) throw new RangeError(`there is no type ${type}`);
    const bytes = this.take(Math.floor((type - 12) / 2));
    return type % 2 === 0 ? bytes : bytes.toString('utf8');
  }

  private integer(length: number): number {
    const bytes = this.take(length);
    return length === 8 ? Number(bytes.readBigInt64BE()) : bytes.readIntBE(0, length);
  }

  private take(length: number): Buffer {
    const bytes = this.bytes.subarray(this.at, this.at + length);
    if (bytes.length < length) throw new RangeError('the record is shorter than it says');
    this.at += length;
    return bytes;
  }
}
