import { crc32 } from 'node:zlib';
import type { Database } from 'better-sqlite3';

type RowValue = string | number | null;

/** What the checksum of each table covers, its key first. That of `latest` is given with each row. */
const COLUMNS = {
  device: ['id', 'name', 'display_name', 'notes', 'tags'],
  device_alias: ['name', 'device_id'],
  series: ['id', 'device_id', 'metric_name', 'labels_key', 'unit'],
} as const;

type CheckedTable = keyof typeof COLUMNS;

/** The checksum of a row: the CRC-32 of its values as a JSON array, its key among them. */
export const rowChecksum = (...values: readonly RowValue[]): number => crc32(JSON.stringify(values));

/** Whether a row is as it was written. One without a checksum is from before there was any. */
export const isAsWritten = (checksum: number | null, ...values: readonly RowValue[]): boolean =>
  checksum === null || checksum === rowChecksum(...values);

/** As `rowChecksum` of the latest sample of a series. */
export const latestChecksum = (seriesId: number, time: number, value: number): number =>
  ~crcOf(`[${seriesId},${time},${value}]`) >>> 0;

/** The CRC-32 of each byte by itself: to call zlib for each row costs more than to go through its bytes. */
const CRC_OF_BYTE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** That of a text is its complement. */
export function crcOf(ascii: string): number {
  let crc = -1;
  for (let at = 0; at < ascii.length; at += 1) crc = withByte(crc, ascii.charCodeAt(at));
  return crc;
}

/** The checksum so far, with one more byte. */
export const withByte = (crc: number, byte: number): number => CRC_OF_BYTE[(crc ^ byte) & 255] ^ (crc >>> 8);

/** Has every row of devices, their former names, and series get its checksum, unless it is written with it. */
export function keepRowChecksums(db: Database): void {
  db.function('row_checksum', { varargs: true, deterministic: true }, (...values) =>
    rowChecksum(...(values as RowValue[])),
  );
  for (const [table, columns] of Object.entries(COLUMNS)) {
    const [key, ...others] = columns;
    for (const [event, when] of [
      ['INSERT', 'WHEN new.checksum IS NULL'],
      [`UPDATE OF ${others.join(', ')}`, ''],
    ]) {
      db.exec(`CREATE TEMP TRIGGER IF NOT EXISTS ${table}_${event.slice(0, 6)} AFTER ${event} ON ${table} ${when} BEGIN
        UPDATE ${table} SET checksum = row_checksum(${columns.join(', ')}) WHERE ${key} = new.${key};
      END`);
    }
  }
}

/** Gives rows from before their checksums: those of numbers from `first` to `last`, or all. */
export function addRowChecksums(db: Database, table: CheckedTable, first?: number, last?: number): void {
  const columns = COLUMNS[table];
  const range = first === undefined ? '' : `AND ${columns[0]} BETWEEN ? AND ?`;
  db.prepare(`UPDATE ${table} SET checksum = row_checksum(${columns.join(', ')}) WHERE checksum IS NULL ${range}`).run(
    ...(first === undefined ? [] : [first, last]),
  );
}
