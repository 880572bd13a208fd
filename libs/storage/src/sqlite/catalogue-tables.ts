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
    `SELECT id, device_id, metric_name, labels_key, unit, NULL AS ts, NULL AS value
     FROM series WHERE id > ? ORDER BY id LIMIT ?`,
  );
  // Devices have the same metrics, and the same text need not be there once for each.
  const texts = new Map<string, string>();
  for (let last = 0, rows = page.all(last, LOAD_PAGE); rows.length > 0; rows = page.all(last, LOAD_PAGE)) {
    for (const row of rows) {
      const name = texts.get(row.metric_name);
      if (name === undefined) texts.set(row.metric_name, row.metric_name);
      catalogue.loadSeries(name === undefined ? row : { ...row, metric_name: name });
    }
    last = rows[rows.length - 1].id;
    if (slices.isOver()) await slices.next();
  }
  // By itself, in the order of its table: a look-up for each series takes as long as all the rest.
  const latest = db
    .prepare<[number, number], [number, number, number]>(
      'SELECT series_id, ts, value FROM latest WHERE series_id > ? ORDER BY series_id LIMIT ?',
    )
    .raw();
  for (let last = 0, rows = latest.all(last, LOAD_PAGE); rows.length > 0; rows = latest.all(last, LOAD_PAGE)) {
    for (const [id, time, value] of rows) if (catalogue.get(id)) catalogue.latest.note(id, time, value);
    last = rows[rows.length - 1][0];
    if (slices.isOver()) await slices.next();
  }
}
