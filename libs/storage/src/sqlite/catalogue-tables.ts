import type { Database } from 'better-sqlite3';
import type { CatalogueTables } from '../columnar/series-catalogue.js';
import type { SeriesEntry } from '../columnar/series-entry.js';
import { ManyRows } from './many-rows.js';
import { SeriesRows } from './series-rows.js';

/** The tables of devices and series, as the catalogue writes them. */
export function catalogueTables(db: Database): CatalogueTables {
  const insertDevice = db.prepare<[string]>('INSERT INTO device (name) VALUES (?)');
  // Its id and its checksum are made here: the trigger that makes checksums costs more than the row.
  const seriesRows = new SeriesRows();
  const insertSeries = new ManyRows<SeriesEntry>(
    db,
    6,
    (values) => `INSERT INTO series (id, device_id, metric_name, labels_key, unit, checksum) VALUES ${values}`,
    ({ id, device, metricName, labelsKey, unit }) => {
      const checksum = seriesRows.checksumOf(id, device.id, seriesRows.kindOf(metricName, labelsKey, unit));
      return [id, device.id, metricName, labelsKey, unit, checksum];
    },
  );
  const selectGreatestId = db
    .prepare<[], number>(
      "SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'series'), 0), (SELECT coalesce(max(id), 0) FROM series))",
    )
    .pluck();
  /** The last id that was given to a series; undefined while none was. */
  let last: number | undefined;
  const updateUnit = db.prepare<[string, number]>('UPDATE series SET unit = ? WHERE id = ?');
  const selectLastId = db.prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'series'").pluck();
  return {
    addDevice: (name) => Number(insertDevice.run(name).lastInsertRowid),
    // A rollback leaves it behind, which only makes a number that is never used.
    nextSeriesId: () => (last = (last ?? selectGreatestId.get() ?? 0) + 1),
    addSeries: (added) => insertSeries.write(added),
    setUnit: (seriesId, unit) => updateUnit.run(unit, seriesId),
    lastSeriesId: () => selectLastId.get() ?? 0,
  };
}
