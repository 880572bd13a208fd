import type { Labels, Slices } from '@device-metrics/domain';
import type { Database } from 'better-sqlite3';
import type { DeviceRow, SeriesCatalogue, SeriesRow } from '../columnar/series-catalogue.js';
import { Device } from '../columnar/series-entry.js';
import type { DamagedTable } from './damaged-table.js';
import { addRowChecksums, isAsWritten, latestChecksum, rowChecksum } from './row-checksum.js';
import { SeriesRows, type SeriesKind } from './series-rows.js';
import { isUnreadable } from './unreadable.js';

/** Rows that are read at a time when the store is opened. */
const LOAD_PAGE = 1000;

/** In the year 2109. Where the first bytes of a row of `latest` are damaged it has no checksum either, and its time begins with the byte before, which is 4 or more. */
const FAR_FUTURE = 4 * 2 ** 40;

type CheckedDeviceRow = DeviceRow & { readonly checksum: number | null };

/** In the order of the table: lists are read in two thirds of the time that objects take. */
type SeriesTableRow = [
  id: number,
  deviceId: number,
  metricName: string,
  labelsKey: string,
  unit: string | null,
  checksum: number | null,
];

type SeriesKey = Pick<SeriesRow, 'id' | 'device_id' | 'metric_name' | 'labels_key'>;

/**
 * Takes in what the tables have, and lets others through meanwhile; must come before anything else. A row that is not as it
 * was written is damage: the index of its table says its name once more, and what nobody can vouch for is left out. The tables
 * themselves stay as they are: what contradicts itself cannot be changed safely.
 */
export async function loadCatalogue(
  db: Database,
  catalogue: SeriesCatalogue,
  damaged: DamagedTable,
  now: number,
  slices: Slices,
): Promise<void> {
  const deleted = new Set(db.prepare<[], number>('SELECT device_id FROM device_deletion').pluck().all());
  loadDevices(db, catalogue, deleted, damaged, now);
  loadAliases(db, catalogue, damaged, now);
  await loadSeries(db, catalogue, deleted, damaged, now, slices);
  await loadLatest(db, catalogue, damaged, now, slices);
}

const contents = ({ id, name, display_name, notes, tags }: DeviceRow) => [id, name, display_name, notes, tags] as const;

function loadDevices(
  db: Database,
  catalogue: SeriesCatalogue,
  deleted: ReadonlySet<number>,
  damaged: DamagedTable,
  now: number,
): void {
  const rows = db
    .prepare<[], CheckedDeviceRow>('SELECT id, name, display_name, notes, tags, checksum FROM device')
    .all()
    .filter(({ id }) => !deleted.has(id));
  const named = new Map(
    db
      .prepare<[], [number, string]>('SELECT id, name FROM device INDEXED BY sqlite_autoindex_device_1')
      .raw()
      .all()
      .filter(([id]) => !deleted.has(id)),
  );
  const taken = new Set<string>();
  const load = (
    id: number,
    name: string,
    description = { displayName: null, notes: null, tags: '{}' } as Described,
  ) => {
    const { displayName, notes, tags } = description;
    const free = taken.has(name) ? `repaired-device-${id}` : name;
    taken.add(free);
    catalogue.loadDevice(new Device(id, free, { displayName, notes, tags: JSON.parse(tags) as Labels }));
  };
  const bad: CheckedDeviceRow[] = [];
  for (const row of rows) {
    const { id, name, display_name: displayName, notes, tags } = row;
    const isWhole = isAsWritten(row.checksum, ...contents(row)) && areTexts(name, displayName, notes) && isObject(tags);
    if (isWhole) load(id, name, { displayName, notes, tags });
    else bad.push(row);
  }
  if (bad.length === 0 && rows.some(({ checksum }) => checksum === null)) addRowChecksums(db, 'device');
  const known = new Set(rows.map(({ id }) => id));
  for (const row of bad) {
    damaged.setAsideRow('device', row.id, contents(row), now);
    const other = named.get(row.id);
    const { display_name: displayName, notes, tags } = row;
    if (other !== undefined && isObject(tags) && isAsWritten(row.checksum, row.id, other, displayName, notes, tags)) {
      load(row.id, other, { displayName, notes, tags });
    } else load(row.id, other === row.name ? other : `repaired-device-${row.id}`);
  }
  for (const [id, name] of named) {
    if (known.has(id) || taken.has(name)) continue;
    damaged.setAsideRow('device', id, [name], now);
    load(id, name);
  }
}

interface Described {
  readonly displayName: string | null;
  readonly notes: string | null;
  readonly tags: string;
}

function loadAliases(db: Database, catalogue: SeriesCatalogue, damaged: DamagedTable, now: number): void {
  const rows = db
    .prepare<[], [string, number, number | null]>('SELECT name, device_id, checksum FROM device_alias')
    .raw()
    .all();
  if (rows.some(([, , checksum]) => checksum === null)) addRowChecksums(db, 'device_alias');
  for (const [name, id, checksum] of rows) {
    if (isAsWritten(checksum, name, id) && areTexts(name)) catalogue.loadAlias(name, id);
    else damaged.setAsideRow('device_alias', id, [name, id], now);
  }
}

async function loadSeries(
  db: Database,
  catalogue: SeriesCatalogue,
  deleted: ReadonlySet<number>,
  damaged: DamagedTable,
  now: number,
  slices: Slices,
): Promise<void> {
  const page = db
    .prepare<[number, number], SeriesTableRow>(
      'SELECT id, device_id, metric_name, labels_key, unit, checksum FROM series WHERE id > ? ORDER BY id LIMIT ?',
    )
    .raw();
  const kinds = new SeriesRows();
  const load = (id: number, device: Device, { metricName, labelsKey, unit }: SeriesKind): void => {
    const row = {
      id,
      device_id: device.id,
      metric_name: metricName,
      labels_key: labelsKey,
      unit,
      ts: null,
      value: null,
    };
    catalogue.loadSeries(row, device);
  };
  let device: Device | undefined;
  const bad = new Map<number, SeriesTableRow>();
  let count = 0;
  for (let last = 0, rows = page.all(last, LOAD_PAGE); rows.length > 0; rows = page.all(last, LOAD_PAGE)) {
    let isOld = false;
    const badBefore = bad.size;
    for (const row of rows) {
      const [id, deviceId, metric, labels, unit, checksum] = row;
      isOld ||= checksum === null;
      if (deleted.has(deviceId)) continue;
      if (device?.id !== deviceId) device = catalogue.deviceById(deviceId);
      const kind = kinds.kindOf(metric, labels, unit);
      const isWhole =
        checksum === null
          ? areTexts(metric, unit) && isObject(labels)
          : checksum === kinds.checksumOf(id, deviceId, kind);
      if (isWhole && device) load(id, device, kind);
      else bad.set(id, row);
    }
    const next = lastOf(rows, ([id]) => id, last);
    if (isOld && bad.size === badBefore) addRowChecksums(db, 'series', last + 1, next);
    last = next;
    count += rows.length;
    if (slices.isOver()) await slices.next();
  }
  const keys = 'series INDEXED BY sqlite_autoindex_series_1';
  const inIndex = db.prepare<[], number>(`SELECT count(metric_name) FROM ${keys}`).pluck().get();
  if (bad.size === 0 && inIndex === count) return;
  const others = db.prepare<[], SeriesKey>(`SELECT id, device_id, metric_name, labels_key FROM ${keys}`);
  for (const other of others.all()) {
    if (catalogue.get(other.id) || deleted.has(other.device_id)) continue;
    const row = bad.get(other.id);
    bad.delete(other.id);
    damaged.setAsideRow('series', other.id, row ?? Object.values(other), now);
    const unit = row && unitOf(row, other);
    const owner = catalogue.deviceById(other.device_id);
    if (unit === undefined || !isObject(other.labels_key) || !owner || !catalogue.isFree(other)) continue;
    load(other.id, owner, kinds.kindOf(other.metric_name, other.labels_key, unit));
  }
  for (const [id, row] of bad) damaged.setAsideRow('series', id, row, now);
}

/**
 * Whether all are texts, or nothing. A row from before has no checksum that would say so, nor seems a row to have one whose first bytes are
 * damaged: these say what its columns are and where they begin.
 */
const areTexts = (...values: readonly unknown[]): boolean =>
  values.every((value) => value === null || typeof value === 'string');

/** Whether it is the text of a JSON object. */
function isObject(text: unknown): boolean {
  if (typeof text !== 'string' || !text.startsWith('{')) return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The id from which on to read; rows whose ids are damaged may come in any order. */
const lastOf = <Row>(rows: readonly Row[], idOf: (row: Row) => number, before: number): number =>
  rows.reduce((last, row) => Math.max(last, idOf(row)), before + 1);

/** The unit of a series whose row is damaged; undefined where nobody can vouch for what the series is. */
function unitOf(row: SeriesTableRow, other: SeriesKey): string | null | undefined {
  const { device_id: device, metric_name: metric, labels_key: labels } = other;
  const [, ofDevice, ofMetric, itsLabels, unit, checksum] = row;
  if (checksum === rowChecksum(other.id, device, metric, labels, unit)) return unit;
  const isSame = device === ofDevice && metric === ofMetric && labels === itsLabels;
  // What is damaged is its unit, or its checksum.
  return isSame ? null : undefined;
}

/** What cannot be read, or is not as it was written, is left out: `remakeLatest` follows. */
async function loadLatest(
  db: Database,
  catalogue: SeriesCatalogue,
  damaged: DamagedTable,
  now: number,
  slices: Slices,
): Promise<void> {
  // By itself, in the order of its table: a look-up for each series takes as long as all the rest.
  const page = db
    .prepare<[number, number], [number, number, number, number | null]>(
      'SELECT series_id, ts, value, checksum FROM latest WHERE series_id > ? ORDER BY series_id LIMIT ?',
    )
    .raw();
  try {
    for (let last = 0, rows = page.all(last, LOAD_PAGE); rows.length > 0; rows = page.all(last, LOAD_PAGE)) {
      for (const [id, time, value, checksum] of rows) {
        const isNumber = typeof value === 'number';
        const isWhole =
          checksum === null ? time < FAR_FUTURE : isNumber && checksum === latestChecksum(id, time, value);
        if (!isWhole) damaged.setAsideRow('latest', id, [id, time, value], now);
        else if (isNumber && catalogue.get(id)) catalogue.latest.note(id, time, value);
      }
      last = lastOf(rows, ([id]) => id, last);
      if (slices.isOver()) await slices.next();
    }
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    damaged.note('latest', 0, error, now);
  }
}
