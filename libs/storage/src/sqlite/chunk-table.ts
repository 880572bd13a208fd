import type { Summary } from '@device-metrics/domain';
import type { Database, Statement } from 'better-sqlite3';
import { decodeChunk } from '../columnar/chunk.js';
import { NOT_DECIMAL } from '../columnar/codec/values.js';
import { summarizeColumn, type Column } from '../columnar/column.js';
import type { DamagedTable } from './damaged-table.js';
import { chunkId, deviceOfChunk, HOUR, hourOfChunk } from '../columnar/hour.js';
import { readStats, StatsWriter } from '../columnar/stats.js';

/** A chunk without its samples. */
export interface StoredStats {
  readonly id: number;
  readonly stats: Uint8Array;
  /** Whether its samples are there, 0 or 1; the raw retention drops them. */
  readonly raw: number;
}

/**
 * The chunks on disk: one row per device and hour. What is damaged is set aside on first sight: damaged stats are made
 * anew from the samples, damaged samples leave the stats.
 */
export class ChunkTable {
  private readonly select: Statement<[number, number, number], StoredStats>;
  private readonly selectData: Statement<[number], Uint8Array | null>;
  private readonly selectSealedThrough: Statement<[number], number>;
  private readonly upsert: Statement<[number, number, Uint8Array, Uint8Array | null]>;
  private readonly updateStats: Statement<[Uint8Array, number]>;
  private readonly removeData: Statement<[number]>;
  private readonly remove: Statement<[number]>;
  private readonly selectRaw: Statement<[number, number, number], number>;
  private readonly selectAny: Statement<[number, number, number], number>;
  private readonly selectNext: Statement<[number], number>;
  private readonly selectLastBare: Statement<[number, number], number>;

  constructor(
    private readonly db: Database,
    private readonly damaged: DamagedTable,
    private readonly now: () => number,
  ) {
    this.select = db.prepare(
      'SELECT id, stats, data IS NOT NULL AS raw FROM chunk WHERE id >= ? AND id < ? ORDER BY id LIMIT ?',
    );
    this.selectData = db.prepare<[number], Uint8Array | null>('SELECT data FROM chunk WHERE id = ?').pluck();
    this.selectSealedThrough = db.prepare<[number], number>('SELECT sealed_through FROM chunk WHERE id = ?').pluck();
    this.upsert = db.prepare('REPLACE INTO chunk (id, sealed_through, stats, data) VALUES (?, ?, ?, ?)');
    this.updateStats = db.prepare('UPDATE chunk SET stats = ? WHERE id = ?');
    this.removeData = db.prepare('UPDATE chunk SET data = NULL WHERE id = ?');
    this.remove = db.prepare('DELETE FROM chunk WHERE id = ?');
    this.selectRaw = db
      .prepare<[number, number, number], number>(
        'SELECT id FROM chunk WHERE id >= ? AND id < ? AND data IS NOT NULL ORDER BY id LIMIT ?',
      )
      .pluck();
    this.selectAny = db
      .prepare<[number, number, number], number>('SELECT id FROM chunk WHERE id >= ? AND id < ? ORDER BY id LIMIT ?')
      .pluck();
    this.selectNext = db.prepare<[number], number>('SELECT id FROM chunk WHERE id >= ? ORDER BY id LIMIT 1').pluck();
    this.selectLastBare = db
      .prepare<[number, number], number>(
        'SELECT id FROM chunk WHERE id >= ? AND id < ? AND data IS NULL ORDER BY id DESC LIMIT 1',
      )
      .pluck();
  }

  /** At most `limit` chunks of a device from hour `from` to before hour `to`, in order of time. */
  range(deviceId: number, from: number, to: number, limit: number): StoredStats[] {
    return this.select.all(chunkId(deviceId, from), chunkId(deviceId, to), limit);
  }

  get(deviceId: number, hour: number): StoredStats | undefined {
    return this.range(deviceId, hour, hour + 1, 1)[0];
  }

  /** The first device that has chunks, of those whose id is `from` or greater. */
  nextDevice(from: number): number | undefined {
    const id = this.selectNext.get(chunkId(from, 0));
    return id === undefined ? undefined : deviceOfChunk(id);
  }

  /** The last hour, from `from` to before `to`, of which a device has a chunk without samples. */
  lastBareHour(deviceId: number, from: number, to: number): number | undefined {
    const id = this.selectLastBare.get(chunkId(deviceId, from), chunkId(deviceId, to));
    return id === undefined ? undefined : hourOfChunk(id);
  }

  /** The last journal row whose samples of this device and hour are in the chunk; 0 without one. */
  sealedThrough(id: number): number {
    return this.selectSealedThrough.get(id) ?? 0;
  }

  /** Writes a chunk in place of what was there. */
  put(id: number, sealedThrough: number, { stats, data }: { stats: Uint8Array; data: Uint8Array | null }): void {
    this.upsert.run(id, sealedThrough, stats, data);
  }

  /** The samples of a chunk by series id, only those that `wants`; none when they were dropped or are damaged. */
  columns(id: number, wants?: (seriesId: number) => boolean): Map<number, Column> {
    const data = this.selectData.get(id);
    if (!data) return new Map();
    try {
      return decodeChunk(data, wants);
    } catch {
      this.setAsideData(id, data);
      return new Map();
    }
  }

  /** Calls `visit` for each series of a chunk, by id. The summary is the same object each time. */
  summaries(chunk: StoredStats, visit: (seriesId: number, summary: Readonly<Summary>) => void): void {
    const hourStart = hourOfChunk(chunk.id) * HOUR;
    try {
      readStats(chunk.stats, hourStart, visit);
    } catch {
      const stats = this.repairStats(chunk, hourStart);
      if (stats) readStats(stats, hourStart, visit);
    }
  }

  allSummaries(chunk: StoredStats): Map<number, Summary> {
    const summaries = new Map<number, Summary>();
    this.summaries(chunk, (id, summary) => summaries.set(id, { ...summary }));
    return summaries;
  }

  /** Drops the samples of up to `limit` chunks of a device from hour `from` to before hour `to`; gives how many. */
  dropData(deviceId: number, from: number, to: number, limit: number): number {
    return this.forEachId(this.selectRaw.all(chunkId(deviceId, from), chunkId(deviceId, to), limit), this.removeData);
  }

  /** Deletes up to `limit` chunks of a device before hour `to`; gives how many. */
  delete(deviceId: number, to: number, limit: number): number {
    return this.forEachId(this.selectAny.all(chunkId(deviceId, 0), chunkId(deviceId, to), limit), this.remove);
  }

  private forEachId(ids: readonly number[], statement: Statement<[number]>): number {
    if (ids.length > 0) this.db.transaction(() => ids.forEach((id) => statement.run(id)))();
    return ids.length;
  }

  private setAsideData(id: number, data: Uint8Array): void {
    this.db.transaction(() => {
      this.damaged.setAside('chunk data', id, data, this.now());
      this.removeData.run(id);
    })();
  }

  /** Stats made of the samples; undefined, and the chunk is gone, when these are missing or damaged as well. */
  private repairStats({ id, stats }: StoredStats, hourStart: number): Uint8Array | undefined {
    const columns = this.columns(id);
    const repaired = columns.size > 0 ? statsOf(columns, hourStart) : undefined;
    this.db.transaction(() => {
      this.damaged.setAside('chunk stats', id, stats, this.now());
      if (repaired) this.updateStats.run(repaired, id);
      else this.remove.run(id);
    })();
    return repaired;
  }
}

function statsOf(columns: ReadonlyMap<number, Column>, hourStart: number): Uint8Array {
  const writer = new StatsWriter(hourStart);
  for (const [id, column] of columns) writer.add(id, summarizeColumn(column, hourStart), NOT_DECIMAL);
  return writer.finish();
}
