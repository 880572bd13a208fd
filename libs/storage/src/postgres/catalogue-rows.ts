import { labelsKey, metricDefinition, type Labels, type Sample } from '@device-metrics/domain';
import type { DeviceRow, SeriesCatalogue, SeriesRow } from '../columnar/series-catalogue.js';
import { Device } from '../columnar/series-entry.js';
import type { DeviceDescription } from '../store.js';
import type { Database, Transaction } from './database.js';

const PAGE = 5000;

const DEVICE = 'id, name, display_name, notes, tags';
const SERIES = `s.id, s.device_id, s.metric_name, s.labels_key, s.unit, l.ts, l.value
  FROM series s LEFT JOIN latest l ON l.device_id = s.device_id AND l.series_id = s.id`;

const descriptionOf = ({ display_name: displayName, notes, tags }: DeviceRow): DeviceDescription => ({
  displayName,
  notes,
  tags: JSON.parse(tags) as Labels,
});

/** A change of devices or series that other processes have to hear of. */
export type CatalogueChange =
  | { readonly device: number }
  | { readonly deletedDevice: number }
  | { readonly deletedSeries: number }
  | { readonly mergedDevice: number; readonly into: number }
  | { readonly unitOf: number };

/** A new series, as a sample named it. */
export type NewSeries = Pick<Sample, 'deviceName' | 'metricName' | 'labels' | 'unit'>;

/** The tables of devices and series. */
export class CatalogueRows {
  constructor(private readonly database: Database) {}

  /** The version of what `load` takes in, or of a moment before. */
  async version(): Promise<number> {
    const [state] = await this.database.rows<{ version: number }>('SELECT version FROM catalogue_state');
    return state.version;
  }

  async load(catalogue: SeriesCatalogue): Promise<void> {
    for (const row of await this.database.rows<DeviceRow>(`SELECT ${DEVICE} FROM device`)) {
      catalogue.loadDevice(new Device(row.id, row.name, descriptionOf(row)));
    }
    const aliases = await this.database.rows<{ name: string; device_id: number }>(
      'SELECT name, device_id FROM device_alias',
    );
    for (const { name, device_id: id } of aliases) catalogue.loadAlias(name, id);
    for (let last = 0; ;) {
      const rows = await this.database.rows<SeriesRow>(`SELECT ${SERIES} WHERE s.id > $1 ORDER BY s.id LIMIT ${PAGE}`, [
        last,
      ]);
      loadKnown(catalogue, rows);
      if (rows.length < PAGE) return;
      last = rows[rows.length - 1].id;
    }
  }

  /** Takes in series that others have made, with their devices; those that are gone again are left out. */
  async loadSeries(catalogue: SeriesCatalogue, ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    const rows = await this.database.rows<SeriesRow>(`SELECT ${SERIES} WHERE s.id = ANY($1) ORDER BY s.id`, [ids]);
    const unknown = new Set(rows.map((row) => row.device_id).filter((id) => !catalogue.deviceById(id)));
    await this.loadDevices(catalogue, [...unknown]);
    loadKnown(catalogue, rows);
  }

  private async loadDevices(catalogue: SeriesCatalogue, ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    const rows = await this.database.rows<DeviceRow>(`SELECT ${DEVICE} FROM device WHERE id = ANY($1)`, [ids]);
    for (const row of rows) {
      if (!catalogue.deviceById(row.id)) catalogue.loadDevice(new Device(row.id, row.name, descriptionOf(row)));
    }
  }

  /** Makes series, and devices where need be, unless another process was first; takes them in either way. */
  async make(catalogue: SeriesCatalogue, wanted: readonly NewSeries[]): Promise<void> {
    const devices = await this.makeDevices(catalogue, wanted);
    const rows = new Map<string, readonly [device: number, metric: string, key: string, unit: string | null]>();
    for (const { deviceName, metricName, labels, unit } of wanted) {
      const device = devices.get(deviceName);
      const key = labelsKey(labels);
      if (device === undefined) continue;
      const said = unit ?? metricDefinition(metricName)?.unit ?? null;
      const place = JSON.stringify([device, metricName, key]);
      if (!rows.has(place)) rows.set(place, [device, metricName, key, said]);
    }
    if (rows.size === 0) return;
    const first = await this.take('series', rows.size);
    const all = [...rows.values()];
    const column = <K extends 0 | 1 | 2 | 3>(at: K): (typeof all)[number][K][] => all.map((row) => row[at]);
    await this.database.run(
      `INSERT INTO series (id, device_id, metric_name, labels_key, unit)
       SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[])
       ON CONFLICT (device_id, metric_name, labels_hash) DO NOTHING`,
      [all.map((_, index) => first + index), column(0), column(1), column(2), column(3)],
    );
    const found = await this.database.rows<SeriesRow>(
      `SELECT ${SERIES} JOIN unnest($1::bigint[], $2::text[], $3::text[]) AS w (device, metric, key)
       ON s.device_id = w.device AND s.metric_name = w.metric AND s.labels_hash = md5(w.key) AND s.labels_key = w.key
       ORDER BY s.id`,
      [column(0), column(1), column(2)],
    );
    loadKnown(catalogue, found);
  }

  /** The ids of devices by the names that samples have. */
  private async makeDevices(
    catalogue: SeriesCatalogue,
    wanted: readonly NewSeries[],
  ): Promise<ReadonlyMap<string, number>> {
    const found = new Map<string, number>();
    const missing = new Set<string>();
    for (const { deviceName } of wanted) {
      const known = catalogue.deviceOfSample(deviceName);
      if (known) found.set(deviceName, known.id);
      else missing.add(deviceName);
    }
    if (missing.size === 0) return found;
    const names = [...missing].sort();
    const first = await this.take('device', names.length);
    await this.database.run(
      `INSERT INTO device (id, name) SELECT * FROM unnest($1::bigint[], $2::text[]) ON CONFLICT (name) DO NOTHING`,
      [names.map((_, index) => first + index), names],
    );
    const rows = await this.database.rows<DeviceRow>(`SELECT ${DEVICE} FROM device WHERE name = ANY($1)`, [names]);
    for (const row of rows) {
      if (!catalogue.deviceById(row.id)) catalogue.loadDevice(new Device(row.id, row.name, descriptionOf(row)));
      found.set(row.name, row.id);
    }
    return found;
  }

  /** Takes so many ids that nobody else gets; gives the first. */
  async take(counter: 'device' | 'series' | 'writer', count: number): Promise<number> {
    const [{ next }] = await this.database.rows<{ next: number }>(
      'UPDATE id_counter SET next = next + $2 WHERE name = $1 RETURNING next',
      [counter, count],
    );
    return next - count;
  }

  /**
   * Writes down that something has changed, within the transaction that changes it. It waits for commits that are under way, and the next
   * of each writer comes after it.
   */
  async note(transaction: Transaction, change: CatalogueChange): Promise<void> {
    const [{ version }] = await transaction.rows<{ version: number }>(
      'UPDATE catalogue_state SET version = version + 1 RETURNING version',
    );
    await transaction.run('INSERT INTO catalogue_change (version, what) VALUES ($1, $2)', [
      version,
      JSON.stringify(change),
    ]);
    await transaction.run('UPDATE writer SET version = $1', [version]);
  }

  /** What has changed since a version; gives the version that the catalogue has then, and what is gone. */
  async follow(catalogue: SeriesCatalogue, version: number, onGone: (deviceId: number) => void): Promise<number> {
    const changes = await this.database.rows<{ version: number; what: string }>(
      'SELECT version, what FROM catalogue_change WHERE version > $1 ORDER BY version',
      [version],
    );
    for (const { what } of changes) await this.apply(catalogue, JSON.parse(what) as CatalogueChange, onGone);
    return changes.at(-1)?.version ?? version;
  }

  private async apply(
    catalogue: SeriesCatalogue,
    change: CatalogueChange,
    onGone: (deviceId: number) => void,
  ): Promise<void> {
    if ('device' in change) await this.reloadDevice(catalogue, change.device);
    else if ('deletedDevice' in change) {
      const device = catalogue.deviceById(change.deletedDevice);
      if (device) catalogue.dropDevice(device);
      onGone(change.deletedDevice);
    } else if ('mergedDevice' in change) {
      const source = catalogue.deviceById(change.mergedDevice);
      await this.loadDevices(catalogue, catalogue.deviceById(change.into) ? [] : [change.into]);
      const target = catalogue.deviceById(change.into);
      if (source && target) catalogue.mergeDevice(source, target);
      else if (source) catalogue.dropDevice(source);
      onGone(change.mergedDevice);
      await this.reloadDevice(catalogue, change.into);
      await this.reloadSeries(catalogue, change.into);
    } else if ('deletedSeries' in change) {
      const entry = catalogue.get(change.deletedSeries);
      if (entry) catalogue.dropSeries(entry);
    } else {
      const [row] = await this.database.rows<{ unit: string | null }>('SELECT unit FROM series WHERE id = $1', [
        change.unitOf,
      ]);
      const entry = catalogue.get(change.unitOf);
      if (entry && row) catalogue.noteUnit(entry, row.unit);
    }
  }

  /** Takes in the series of a device, with what another process has changed of those that were known. */
  private async reloadSeries(catalogue: SeriesCatalogue, deviceId: number): Promise<void> {
    const rows = await this.database.rows<SeriesRow>(`SELECT ${SERIES} WHERE s.device_id = $1 ORDER BY s.id`, [
      deviceId,
    ]);
    loadKnown(catalogue, rows);
    for (const { id, unit, ts, value } of rows) {
      const entry = catalogue.get(id);
      if (!entry) continue;
      catalogue.noteUnit(entry, unit);
      if (ts !== null && value !== null && ts > catalogue.latest.timeOf(id)) catalogue.latest.note(id, ts, value);
    }
  }

  private async reloadDevice(catalogue: SeriesCatalogue, id: number): Promise<void> {
    const [row] = await this.database.rows<DeviceRow>(`SELECT ${DEVICE} FROM device WHERE id = $1`, [id]);
    const device = catalogue.deviceById(id);
    if (!row || !device) return;
    device.description = descriptionOf(row);
    if (device.name !== row.name) catalogue.renameDevice(device, row.name);
    const aliases = await this.database.rows<{ name: string }>('SELECT name FROM device_alias WHERE device_id = $1', [
      id,
    ]);
    for (const { name } of aliases) catalogue.loadAlias(name, id);
  }
}

function loadKnown(catalogue: SeriesCatalogue, rows: readonly SeriesRow[]): void {
  for (const row of rows) {
    // A device that was deleted while the series was made leaves it behind; maintenance deletes it.
    if (catalogue.deviceById(row.device_id) && !catalogue.get(row.id)) catalogue.loadSeries(row);
  }
}
