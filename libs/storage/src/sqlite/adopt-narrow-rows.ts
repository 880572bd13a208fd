import { HOUR, Slices } from '@device-metrics/domain';
import type { Database } from 'better-sqlite3';
import type { PieceTable } from './piece-table.js';
import { PieceEncoder } from '../columnar/piece.js';
import type { Column } from '../columnar/column.js';
import { chunkId, hourOf } from '../columnar/hour.js';
import type { SeriesCatalogue } from '../columnar/series-catalogue.js';
import type { Device, SeriesEntry } from '../columnar/series-entry.js';

/**
 * Moves the samples of the first store, one row each in the table `sample`, into chunks, and then drops the table. Each
 * hour of a device moves in one transaction: killed at any moment, it goes on where it was at the next start. It comes
 * before anything is appended.
 */
export async function adoptNarrowRows(db: Database, catalogue: SeriesCatalogue, pieces: PieceTable): Promise<void> {
  const exists = db.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'sample'").get();
  if (!exists) return;
  const rows = new NarrowRows(db);
  const slices = new Slices();
  for (const device of catalogue.allDevices()) {
    for (let hour = rows.firstHour(device); hour !== undefined; hour = rows.firstHour(device)) {
      await adoptHour(db, rows, device, hour, catalogue, pieces);
      if (slices.isOver()) await slices.next();
    }
  }
  db.exec('DROP TABLE sample');
}

async function adoptHour(
  db: Database,
  rows: NarrowRows,
  device: Device,
  hour: number,
  catalogue: SeriesCatalogue,
  pieces: PieceTable,
): Promise<void> {
  const encoder = new PieceEncoder();
  encoder.begin(hour);
  const moved: SeriesEntry[] = [];
  for (const entry of seriesOf(device)) {
    const column = rows.column(entry, hour);
    if (column.times.length === 0) continue;
    encoder.add(entry.series.id, column);
    const last = column.times.length - 1;
    catalogue.latest.note(entry.id, hour * HOUR + column.times[last], column.values[last]);
    moved.push(entry);
  }
  const chunk = await encoder.finish();
  db.transaction(() => {
    pieces.putChunk(chunkId(device.id, hour), 0, chunk);
    for (const entry of moved) {
      rows.remove(entry, hour);
      pieces.saveLatest(entry.id, catalogue.latest.timeOf(entry.id), catalogue.latest.valueOf(entry.id));
    }
  })();
}

const seriesOf = (device: Device): SeriesEntry[] => [...device.entries()].sort((a, b) => a.series.id - b.series.id);

class NarrowRows {
  private readonly first;
  private readonly select;
  private readonly delete;

  constructor(db: Database) {
    this.first = db.prepare<[number], number>('SELECT ts FROM sample WHERE series_id = ? ORDER BY ts LIMIT 1').pluck();
    this.select = db
      .prepare<[number, number, number], [number, number]>(
        'SELECT ts, value FROM sample WHERE series_id = ? AND ts >= ? AND ts < ? ORDER BY ts',
      )
      .raw();
    this.delete = db.prepare<[number, number, number]>('DELETE FROM sample WHERE series_id = ? AND ts >= ? AND ts < ?');
  }

  /** The first hour of which any series of the device has rows. */
  firstHour(device: Device): number | undefined {
    let first = Infinity;
    for (const { series } of seriesOf(device)) first = Math.min(first, this.first.get(series.id) ?? Infinity);
    return first === Infinity ? undefined : hourOf(first);
  }

  column({ series }: SeriesEntry, hour: number): Column {
    const rows = this.select.all(series.id, hour * HOUR, (hour + 1) * HOUR);
    return {
      times: Uint32Array.from(rows, ([timestamp]) => timestamp - hour * HOUR),
      values: Float64Array.from(rows, ([, value]) => value),
    };
  }

  remove({ series }: SeriesEntry, hour: number): void {
    this.delete.run(series.id, hour * HOUR, (hour + 1) * HOUR);
  }
}
