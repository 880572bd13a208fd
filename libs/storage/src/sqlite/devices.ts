import { inSlices, Slices, type DeviceSelector } from '@device-metrics/domain';
import type { Database, Statement } from 'better-sqlite3';
import type { PieceTable } from './piece-table.js';
import type { Heads } from '../columnar/heads.js';
import { HOURS } from '../columnar/hour.js';
import type { DeviceMerges } from './device-merges.js';
import { DeviceTakenError, type DeviceDescription, type StoredDevice } from '../store.js';
import type { Sealer } from '../columnar/sealer.js';
import type { SeriesCatalogue } from '../columnar/series-catalogue.js';
import type { Device } from '../columnar/series-entry.js';
import { hasSample, storedDevice } from '../columnar/stored-device.js';

/** With it begin the names of rows of devices that are deleted while their series are still there. */
export const GONE = '\u0001';

const NONE: readonly string[] = Object.freeze([]);

/** Chunks that one transaction deletes, and series. */
const CHUNK_SLICE = 32;
const SERIES_SLICE = 500;

/** Lists, describes and deletes devices. */
export class Devices {
  private readonly update: Statement<[string | null, string | null, string, number]>;
  private readonly farewell: Statement<[number]>[];
  private readonly removeLatest: Statement<[number]>;
  private readonly removeSeries: Statement<[number]>;
  private readonly removeDevice: Statement<[number]>;
  private readonly renaming: (id: number, before: string, after: string) => void;
  private readonly seriesRemovals: Statement<[number]>[];
  private readonly selectDeletions: Statement<[], number>;
  private readonly removeDeletion: Statement<[number]>;

  constructor(
    private readonly db: Database,
    private readonly catalogue: SeriesCatalogue,
    private readonly heads: Heads,
    private readonly pieces: PieceTable,
    private readonly sealer: Sealer,
    private readonly merges: DeviceMerges,
  ) {
    this.update = db.prepare('UPDATE device SET display_name = ?, notes = ?, tags = ? WHERE id = ?');
    this.farewell = [
      'REPLACE INTO device_deletion (device_id) VALUES (?)',
      // Its name is free from now on; no device can be called so.
      `UPDATE device SET name = '${GONE}' || id WHERE id = ?`,
      // What was on its way to it goes too.
      'REPLACE INTO device_deletion (device_id) SELECT source_id FROM device_merge WHERE target_id = ?',
      'DELETE FROM series_merge WHERE source_id IN (SELECT source_id FROM device_merge WHERE target_id = ?)',
      'DELETE FROM device_merge WHERE target_id = ?',
      'DELETE FROM device_alias WHERE device_id = ?',
    ].map((sql) => db.prepare(sql));
    const some = `SELECT id FROM series WHERE device_id = ? ORDER BY metric_name, labels_key LIMIT ${SERIES_SLICE}`;
    this.removeLatest = db.prepare(`DELETE FROM latest WHERE series_id IN (${some})`);
    this.removeSeries = db.prepare(`DELETE FROM series WHERE id IN (${some})`);
    this.removeDevice = db.prepare('DELETE FROM device WHERE id = ?');
    this.seriesRemovals = ['DELETE FROM latest WHERE series_id = ?', 'DELETE FROM series WHERE id = ?'].map((sql) =>
      db.prepare(sql),
    );
    const rename = db.prepare<[string, number]>('UPDATE device SET name = ? WHERE id = ?');
    const free = db.prepare<[string]>('DELETE FROM device_alias WHERE name = ?');
    const alias = db.prepare<[string, number]>('REPLACE INTO device_alias (name, device_id) VALUES (?, ?)');
    this.renaming = db.transaction((id: number, before: string, after: string) => {
      free.run(after);
      rename.run(after, id);
      alias.run(before, id);
    });
    this.selectDeletions = db.prepare<[], number>('SELECT device_id FROM device_deletion').pluck();
    this.removeDeletion = db.prepare('DELETE FROM device_deletion WHERE device_id = ?');
  }

  /** By name. */
  async select(selector: DeviceSelector): Promise<StoredDevice[]> {
    const slices = new Slices();
    const found: StoredDevice[] = [];
    const formerNames = this.catalogue.allFormerNames();
    for (const device of this.catalogue.sorted.findDevices(selector)) {
      const stored = this.stored(device, formerNames.get(device) ?? NONE);
      if (hasSample(stored)) found.push(stored);
      if (slices.isOver()) await slices.next();
    }
    return found;
  }

  get(name: string): StoredDevice | undefined {
    const device = this.catalogue.device(name);
    const stored = device && this.stored(device);
    return stored && hasSample(stored) ? stored : undefined;
  }

  describe(name: string, change: (before: DeviceDescription) => Partial<DeviceDescription>): StoredDevice | undefined {
    const device = this.catalogue.device(name);
    if (!device) return undefined;
    const description = { ...device.description, ...change(device.description) };
    this.update.run(description.displayName, description.notes, JSON.stringify(description.tags), device.id);
    device.description = description;
    return this.stored(device);
  }

  /** Samples for the old name go on to the device, until another device is given that name, or this one is deleted. */
  rename(name: string, newName: string): StoredDevice | undefined {
    const device = this.catalogue.device(name);
    if (!device) return undefined;
    if (name === newName) return this.stored(device);
    if (this.catalogue.device(newName)) throw new DeviceTakenError(newName);
    this.renaming(device.id, name, newName);
    this.catalogue.renameDevice(device, newName);
    return this.stored(device);
  }

  /** Gives all that there is of a device to another one. */
  async merge(
    name: string,
    into: string,
    describe: (source: DeviceDescription, target: DeviceDescription) => DeviceDescription,
  ): Promise<StoredDevice | undefined> {
    const [source, target] = [this.catalogue.device(name), this.catalogue.device(into)];
    if (!source || !target) return undefined;
    if (source === target) return this.stored(target);
    const merged = await this.merges.merge(source, target, describe);
    return merged && this.catalogue.deviceById(target.id) ? this.stored(target) : undefined;
  }

  /** Nothing leads to its samples any more once its row is gone; their bytes go with the hours that they are in. */
  deleteSeries(id: number): boolean {
    const entry = this.catalogue.get(id);
    if (!entry) return false;
    this.db.transaction(() => this.seriesRemovals.forEach((removal) => removal.run(id)))();
    this.catalogue.dropSeries(entry);
    return true;
  }

  /**
   * One transaction takes the name from the device, and takes note of the deletion. After it nothing leads to the device any
   * more. Its series, its latest samples and its chunks follow in slices, and after a crash with the next `finishDeletions`.
   */
  async delete(name: string): Promise<boolean> {
    const device = this.catalogue.device(name);
    if (!device) return false;
    this.db.transaction(() => this.farewell.forEach((statement) => statement.run(device.id)))();
    const slices = new Slices();
    this.catalogue.hideDevice(device);
    this.heads.dropDevice(device.id);
    await inSlices(device.entries(), (entry) => this.catalogue.forget(entry), slices);
    await this.deleteRest(device.id, slices);
    await this.sealer.trimJournal();
    return true;
  }

  /** Goes on with deletions that a crash cut short. */
  async finishDeletions(): Promise<void> {
    const slices = new Slices();
    for (const id of this.selectDeletions.all()) await this.deleteRest(id, slices);
  }

  /** Sets aside what belongs to no device: the number of its device must have been damaged. */
  async setAsideOrphans(): Promise<void> {
    const slices = new Slices();
    const known = new Set(Array.from(this.catalogue.allDevices(), ({ id }) => id));
    const deleted = new Set([...this.selectDeletions.all(), ...this.merges.sources()]);
    for (let id = this.pieces.nextDevice(0); id !== undefined; id = this.pieces.nextDevice(id + 1)) {
      // A device that is new since then has nothing sealed yet.
      const isOrphan = !known.has(id) && !deleted.has(id) && !this.catalogue.deviceById(id);
      let hour: number | undefined = isOrphan ? 0 : undefined;
      while (hour !== undefined) {
        hour = this.pieces.setAsideOrphans(id, hour, HOURS, CHUNK_SLICE);
        await slices.next();
      }
      if (slices.isOver()) await slices.next();
    }
  }

  private async deleteRest(deviceId: number, slices: Slices): Promise<void> {
    const deleteSome = this.db.transaction((id: number): number => {
      this.removeLatest.run(id);
      return this.removeSeries.run(id).changes;
    });
    while (deleteSome(deviceId) > 0) await slices.next();
    this.removeDevice.run(deviceId);
    let hour: number | undefined = 0;
    while ((hour = this.pieces.delete(deviceId, hour, HOURS, CHUNK_SLICE)) !== undefined) await slices.next();
    this.removeDeletion.run(deviceId);
  }

  private stored(device: Device, formerNames: readonly string[] = this.catalogue.formerNames(device)): StoredDevice {
    let first = this.pieces.firstTime(device.id);
    for (const head of this.heads.ofDevice(device.id)) first = Math.min(first, head.firstTime());
    return storedDevice(device, this.catalogue, first === Infinity ? undefined : first, formerNames);
  }
}
