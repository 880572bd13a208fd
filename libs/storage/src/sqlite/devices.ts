import { Slices, type DeviceSelector } from '@device-metrics/domain';
import type { Database, Statement } from 'better-sqlite3';
import type { ChunkTable } from './chunk-table.js';
import type { Heads } from '../columnar/heads.js';
import { hourOfChunk, HOURS } from '../columnar/hour.js';
import type { DeviceDescription, StoredDevice } from '../store.js';
import type { Sealer } from '../columnar/seal.js';
import type { Device, SeriesCatalogue } from '../columnar/series-catalogue.js';

/** Chunks that one transaction deletes. */
const CHUNK_SLICE = 32;

/** Lists, describes and deletes devices. */
export class Devices {
  private readonly update: Statement<[string | null, string | null, string, number]>;
  private readonly removals: Statement<[number]>[];

  constructor(
    private readonly db: Database,
    private readonly catalogue: SeriesCatalogue,
    private readonly heads: Heads,
    private readonly chunks: ChunkTable,
    private readonly sealer: Sealer,
  ) {
    this.update = db.prepare('UPDATE device SET display_name = ?, notes = ?, tags = ? WHERE id = ?');
    this.removals = [
      'DELETE FROM latest WHERE series_id IN (SELECT id FROM series WHERE device_id = ?)',
      'DELETE FROM series WHERE device_id = ?',
      'DELETE FROM device WHERE id = ?',
    ].map((sql) => db.prepare(sql));
  }

  /** By name. */
  async select(selector: DeviceSelector): Promise<StoredDevice[]> {
    const slices = new Slices();
    const found: StoredDevice[] = [];
    for (const device of this.catalogue.findDevices(selector)) {
      found.push(this.stored(device));
      if (slices.isOver()) await slices.next();
    }
    return found;
  }

  get(name: string): StoredDevice | undefined {
    const device = this.catalogue.device(name);
    return device && this.stored(device);
  }

  describe(name: string, change: (before: DeviceDescription) => Partial<DeviceDescription>): StoredDevice | undefined {
    const device = this.catalogue.device(name);
    if (!device) return undefined;
    const description = { ...device.description, ...change(device.description) };
    this.update.run(description.displayName, description.notes, JSON.stringify(description.tags), device.id);
    device.description = description;
    return this.stored(device);
  }

  /**
   * The rows of the device and its series go in one transaction, after which nothing leads to its chunks any more, nor
   * to its samples in the journal; these follow in slices, and after a crash with the next `deleteOrphans`.
   */
  async delete(name: string): Promise<boolean> {
    const device = this.catalogue.device(name);
    if (!device) return false;
    this.db.transaction(() => this.removals.forEach((removal) => removal.run(device.id)))();
    this.catalogue.dropDevice(device);
    this.heads.dropDevice(device.id);
    const slices = new Slices();
    await this.deleteChunks(device.id, slices);
    await this.sealer.trimJournal(slices);
    return true;
  }

  /** Deletes the chunks of devices that are gone: a crash may have come in between. */
  async deleteOrphans(): Promise<void> {
    const slices = new Slices();
    const known = new Set(Array.from(this.catalogue.allDevices(), ({ id }) => id));
    for (let id = this.chunks.nextDevice(0); id !== undefined; id = this.chunks.nextDevice(id + 1)) {
      // A device that is new since then has no chunk yet.
      if (!known.has(id)) await this.deleteChunks(id, slices);
      if (slices.isOver()) await slices.next();
    }
  }

  private async deleteChunks(deviceId: number, slices: Slices): Promise<void> {
    while (this.chunks.delete(deviceId, HOURS, CHUNK_SLICE) === CHUNK_SLICE) await slices.next();
  }

  private stored(device: Device): StoredDevice {
    let seriesCount = 0;
    let lastTime = -Infinity;
    for (const { id } of device.entries()) {
      seriesCount += 1;
      lastTime = Math.max(lastTime, this.catalogue.latest.timeOf(id));
    }
    return { name: device.name, ...device.description, seriesCount, firstTime: this.firstTime(device.id), lastTime };
  }

  private firstTime(deviceId: number): number | undefined {
    const [chunk] = this.chunks.range(deviceId, 0, HOURS, 1);
    const chunkHour = chunk ? hourOfChunk(chunk.id) : Infinity;
    let first = Infinity;
    if (chunk) this.chunks.summaries(chunk, (_id, { firstTime }) => (first = Math.min(first, firstTime)));
    for (const head of this.heads.ofDevice(deviceId)) {
      if (head.hour > chunkHour || head.start > first) continue;
      for (const column of head.columns.values()) first = Math.min(first, head.start + column.column().times[0]);
    }
    return first === Infinity ? undefined : first;
  }
}
