import { Slices, type Labels } from '@device-metrics/domain';
import type { Database } from 'better-sqlite3';
import { Device, type CatalogueTables, type SeriesCatalogue, type SeriesRow } from '../columnar/series-catalogue.js';

/** Series that are read at a time when the store is opened. */
const LOAD_PAGE = 1000;

/** The tables of devices and series, as the catalogue writes them. */
export function catalogueTables(db: Database): CatalogueTables {
  const insertDevice = db.prepare<[string]>('INSERT INTO device (name) VALUES (?)');
  const insertSeries = db.prepare<[number, string, string, string | null]>(
    'INSERT INTO series (device_id, metric_name, labels_key, unit) VALUES (?, ?, ?, ?)',
  );
  const updateUnit = db.prepare<[string, number]>('UPDATE series SET unit = ? WHERE id = ?');
  const selectLastId = db.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'series'").pluck();
  return {
    addDevice: (name) => Number(insertDevice.run(name).lastInsertRowid),
    addSeries: (deviceId, metricName, labelsKey, unit) =>
      Number(insertSeries.run(deviceId, metricName, labelsKey, unit).lastInsertRowid),
    setUnit: (seriesId, unit) => updateUnit.run(unit, seriesId),
    lastSeriesId: () => selectLastId.get() ?? 0,
  };
}

interface DeviceRow {
  readonly id: number;
  readonly name: string;
  readonly display_name: string | null;
  readonly notes: string | null;
  readonly tags: string;
}

/** Takes in what the tables have, and lets others through meanwhile; must come before anything else. */
export async function loadCatalogue(db: Database, catalogue: SeriesCatalogue): Promise<void> {
  const slices = new Slices();
  const devices = db.prepare<[], DeviceRow>('SELECT id, name, display_name, notes, tags FROM device');
  for (const { id, name, display_name: displayName, notes, tags } of devices.all()) {
    catalogue.loadDevice(new Device(id, name, { displayName, notes, tags: JSON.parse(tags) as Labels }));
  }
  const aliases = db.prepare<[], { name: string; device_id: number }>('SELECT name, device_id FROM device_alias');
  for (const { name, device_id: id } of aliases.all()) catalogue.loadAlias(name, id);
  const page = db.prepare<[number, number], SeriesRow>(
    `SELECT id, device_id, metric_name, labels_key, unit, ts, value
     FROM series LEFT JOIN latest ON latest.series_id = series.id WHERE id > ? ORDER BY id LIMIT ?`,
  );
  for (let last = 0, rows = page.all(last, LOAD_PAGE); rows.length > 0; rows = page.all(last, LOAD_PAGE)) {
    for (const row of rows) catalogue.loadSeries(row);
    last = rows[rows.length - 1].id;
    if (slices.isOver()) await slices.next();
  }
}
