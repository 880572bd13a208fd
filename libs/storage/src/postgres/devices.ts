import type { DeviceSelector, Labels } from '@device-metrics/domain';
import { FirstTimes, hasSample, storedDevice } from '../columnar/stored-device.js';
import type { DeviceRow } from '../columnar/series-catalogue.js';
import type { Device } from '../columnar/series-entry.js';
import { DeviceTakenError, type DeviceDescription, type StoredDevice } from '../store.js';
import type { Database } from './database.js';
import type { Session } from './session.js';

type Row = Omit<DeviceRow, 'name'>;

const BY_NAME = 'SELECT id, display_name, notes, tags FROM device WHERE name = $1 FOR UPDATE';

/** Lists, describes and deletes devices; what is changed is in the next report of every process. */
export class PgDevices {
  private firstTimes: FirstTimes | undefined;

  constructor(
    private readonly database: Database,
    private readonly session: Session,
  ) {}

  /** By name. */
  async select(selector: DeviceSelector): Promise<StoredDevice[]> {
    return (await this.stored(this.session.catalogue.sorted.findDevices(selector))).filter(hasSample);
  }

  async get(name: string): Promise<StoredDevice | undefined> {
    const device = this.session.catalogue.device(name);
    const [stored] = device ? await this.stored([device]) : [];
    return stored && hasSample(stored) ? stored : undefined;
  }

  async describe(
    name: string,
    change: (before: DeviceDescription) => Partial<DeviceDescription>,
  ): Promise<StoredDevice | undefined> {
    await this.database.transaction(async (transaction) => {
      const [row] = await transaction.rows<Row>(BY_NAME, [name]);
      if (!row) return;
      const before = { displayName: row.display_name, notes: row.notes, tags: JSON.parse(row.tags) as Labels };
      const { displayName, notes, tags } = { ...before, ...change(before) };
      await transaction.run('UPDATE device SET display_name = $2, notes = $3, tags = $4 WHERE id = $1', [
        row.id,
        displayName,
        notes,
        JSON.stringify(tags),
      ]);
      await this.session.rows.note(transaction, { device: row.id });
    });
    await this.session.catchUp();
    return this.get(name);
  }

  async rename(name: string, newName: string): Promise<StoredDevice | undefined> {
    if (name !== newName) {
      await this.database.transaction(async (transaction) => {
        const [row] = await transaction.rows<Row>(BY_NAME, [name]);
        if (!row) return;
        const [other] = await transaction.rows('SELECT id FROM device WHERE name = $1', [newName]);
        if (other) throw new DeviceTakenError(newName);
        await transaction.run('DELETE FROM device_alias WHERE name = $1', [newName]);
        await transaction.run('UPDATE device SET name = $2 WHERE id = $1', [row.id, newName]);
        await transaction.run(
          `INSERT INTO device_alias (name, device_id) VALUES ($1, $2)
           ON CONFLICT (name) DO UPDATE SET device_id = excluded.device_id`,
          [name, row.id],
        );
        await this.session.rows.note(transaction, { device: row.id });
      });
      await this.session.catchUp();
    }
    return this.get(newName);
  }

  async deleteSeries(deviceName: string, seriesId: number): Promise<boolean> {
    const deleted = await this.database.transaction(async (transaction) => {
      const count = await transaction.run(
        'DELETE FROM series s USING device d WHERE d.id = s.device_id AND d.name = $1 AND s.id = $2',
        [deviceName, seriesId],
      );
      if (count === 0) return false;
      await transaction.run('DELETE FROM latest WHERE series_id = $1', [seriesId]);
      await this.session.rows.note(transaction, { deletedSeries: seriesId });
      return true;
    });
    await this.session.catchUp();
    return deleted;
  }

  async delete(name: string): Promise<boolean> {
    const deleted = await this.database.transaction(async (transaction) => {
      const [row] = await transaction.rows<Row>(BY_NAME, [name]);
      if (!row) return false;
      await transaction.run('DELETE FROM device WHERE id = $1', [row.id]);
      // What was on its way to it goes too.
      const sources = await transaction.rows<{ id: number }>(
        'DELETE FROM device_merge WHERE target_id = $1 RETURNING source_id AS id',
        [row.id],
      );
      for (const table of sources.length > 0 ? ['piece', 'series_merge'] : []) {
        const column = table === 'piece' ? 'device_id' : 'source_id';
        await transaction.run(`DELETE FROM ${table} WHERE ${column} = ANY($1)`, [sources.map(({ id }) => id)]);
      }
      for (const table of ['latest', 'series', 'device_alias', 'piece']) {
        await transaction.run(`DELETE FROM ${table} WHERE device_id = $1`, [row.id]);
      }
      await this.session.rows.note(transaction, { deletedDevice: row.id });
      return true;
    });
    await this.session.catchUp();
    return deleted;
  }

  private async stored(devices: readonly Device[]): Promise<StoredDevice[]> {
    const { catalogue, heads, pieces } = this.session;
    const sealed = await pieces.first(devices.map(({ id }) => id));
    const formerNames = catalogue.allFormerNames();
    this.firstTimes ??= new FirstTimes(pieces);
    const { firstTimes } = this;
    return devices.map((device) => {
      const firstTime = firstTimes.of(device.id, sealed.get(device.id) ?? [], heads.ofDevice(device.id));
      return storedDevice(device, catalogue, firstTime, formerNames.get(device) ?? []);
    });
  }
}
