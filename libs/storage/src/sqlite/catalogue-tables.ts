import type { Database } from 'better-sqlite3';
import type { CatalogueTables } from '../columnar/series-catalogue.js';

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
