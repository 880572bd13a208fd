import type Database from 'better-sqlite3';
import { labelsKey, metricDefinition, type Labels, type Sample, type Series } from '@device-metrics/domain';

interface Row {
  readonly id: number;
  readonly device_id: number;
  readonly device_name: string;
  readonly metric_name: string;
  readonly labels: string;
  readonly unit: string | null;
}

/**
 * All devices and series, in memory as they are in the database. `idOf` is called within the transaction that appends
 * samples; when that is rolled back, `reload` brings the memory back to what is on disk.
 */
export class SeriesCatalogue {
  private readonly deviceIds = new Map<string, number>();
  /** By device, metric and labels key. */
  private readonly byName = new Map<string, Map<string, Map<string, Series>>>();
  private sorted: readonly Series[] | undefined;
  private readonly insertDevice: Database.Statement<[string]>;
  private readonly insertSeries: Database.Statement<[number, string, string, string | null]>;
  private readonly updateUnit: Database.Statement<[string, number]>;

  constructor(private readonly database: Database.Database) {
    this.insertDevice = database.prepare('INSERT INTO device (name) VALUES (?)');
    this.insertSeries = database.prepare(
      'INSERT INTO series (device_id, metric_name, labels, unit) VALUES (?, ?, ?, ?)',
    );
    this.updateUnit = database.prepare('UPDATE series SET unit = ? WHERE id = ?');
    this.reload();
  }

  /** Reads everything from the database again. */
  reload(): void {
    this.deviceIds.clear();
    this.byName.clear();
    this.sorted = undefined;
    const rows = this.database
      .prepare<[], Row>(
        `SELECT series.id, device_id, device.name AS device_name, metric_name, labels, unit
         FROM series JOIN device ON device.id = device_id`,
      )
      .iterate();
    for (const row of rows) {
      this.deviceIds.set(row.device_name, row.device_id);
      const labels = JSON.parse(row.labels) as Labels;
      this.put(row.labels, {
        id: row.id,
        deviceName: row.device_name,
        metricName: row.metric_name,
        labels,
        unit: row.unit,
      });
    }
  }

  /** The id of a sample's series, which comes into being where it is new. */
  idOf(sample: Sample): number {
    const key = labelsKey(sample.labels);
    const series = this.byName.get(sample.deviceName)?.get(sample.metricName)?.get(key);
    if (!series) return this.create(sample, key);
    if (sample.unit !== undefined && sample.unit !== series.unit) {
      this.updateUnit.run(sample.unit, series.id);
      this.put(key, { ...series, unit: sample.unit });
    }
    return series.id;
  }

  /** By device, metric and labels. */
  all(): readonly Series[] {
    this.sorted ??= [...this.byName]
      .sort(byKey)
      .flatMap(([, metrics]) => [...metrics].sort(byKey).flatMap(([, labels]) => [...labels].sort(byKey)))
      .map(([, series]) => series);
    return this.sorted;
  }

  private create(sample: Sample, key: string): number {
    const { deviceName, metricName } = sample;
    const unit = sample.unit ?? metricDefinition(metricName)?.unit ?? null;
    const deviceId = this.deviceIds.get(deviceName) ?? Number(this.insertDevice.run(deviceName).lastInsertRowid);
    this.deviceIds.set(deviceName, deviceId);
    const id = Number(this.insertSeries.run(deviceId, metricName, key, unit).lastInsertRowid);
    this.put(key, { id, deviceName, metricName, labels: JSON.parse(key) as Labels, unit });
    return id;
  }

  private put(key: string, series: Series): void {
    const metrics = getOrMake(this.byName, series.deviceName, () => new Map<string, Map<string, Series>>());
    getOrMake(metrics, series.metricName, () => new Map<string, Series>()).set(key, series);
    this.sorted = undefined;
  }
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);
