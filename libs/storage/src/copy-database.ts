import { createHash, randomInt } from 'node:crypto';
import { statSync } from 'node:fs';
import { reasonOf, type Sample, type Series } from '@device-metrics/domain';
import type { DataSource } from 'typeorm';
import { readJournalRow } from './columnar/codec/journal-row.js';
import { chunkId, deviceOfChunk, HOURS, hourOfChunk } from './columnar/hour.js';
import { dataSourceOptions, openDataSource } from './data-source.js';
import { openSampleStore } from './open-sample-store.js';
import { GONE } from './sqlite/devices.js';
import { rowKey } from './postgres/writer.js';
import { sqlOf, type Sql, type Statement } from './sql.js';
import type { Store } from './store.js';

/** What a copy came to. */
export interface CopyReport {
  readonly devices: number;
  readonly series: number;
  /** Chunks and parts that were written now, and those that were there as they are. */
  readonly written: number;
  readonly kept: number;
  /** Samples that both read alike, of all series. */
  readonly samples: number;
  /** Series that the two read differently, such as `device/metric{labels}`: what has changed since the copy began. */
  readonly different: readonly string[];
}

/** Tables whose rows have a way of their own, or none. */
const OWN_WAY = new Set(
  `device series latest chunk part piece journal writer lease catalogue_state catalogue_change id_counter device_deletion
   device_merge series_merge damaged clock_mark migrations typeorm_metadata`.split(/\s+/),
);
/** Devices that are not on their way out. */
const NOT_GONE = `name NOT LIKE '${GONE}%'`;
const BATCH = 200;
const SAMPLES_AT_ONCE = 50_000;

/**
 * Copies everything from one database to another, while the first still serves; what is there as it is stays, so that a copy
 * that was cut short, or is to catch up, goes on where it was. Devices and series keep their ids, and pieces their bytes.
 * Then both are read, and compared by count and hash of each series.
 *
 * @param say hears what is done.
 * @throws Error where the second has devices of its own, or is the first.
 */
export async function copyDatabase(from: string, to: string, say: (line: string) => void): Promise<CopyReport> {
  const began = Date.now();
  const source = await Side.open(from);
  try {
    const target = await Side.open(to);
    try {
      if (await isSame(source, target)) throw new Error('is the same database as the first');
      await source.assertAtRest();
      await copyRows(source, target, say);
      const { devices, series } = await copyCatalogue(source, target);
      say(`${devices} devices and ${series} series`);
      const pieces = await copyPieces(source, target, say);
      await target.finish();
      const open = await copyJournal(source, target);
      say(`${open} samples that are not sealed yet`);
      const checked = await compare(source, target, began, say);
      return { devices, series, ...pieces, ...checked };
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

interface PieceHead {
  readonly id: number;
  readonly part: number;
  /** Equal where the bytes are. */
  readonly mark: string;
}

interface Piece {
  readonly sealedThrough: number;
  readonly stats: Uint8Array;
  readonly data: Uint8Array | null;
}

interface DeviceRow {
  readonly id: number;
  readonly name: string;
}

/** One of the two databases. */
class Side {
  readonly sql: Sql;
  readonly isPostgres: boolean;

  private constructor(
    readonly dataSource: DataSource,
    readonly address: string,
  ) {
    this.sql = sqlOf(dataSource);
    this.isPostgres = dataSource.options.type === 'postgres';
  }

  static async open(address: string): Promise<Side> {
    const dataSource = await openDataSource(dataSourceOptions(address));
    return new Side(dataSource, address);
  }

  /** Its store, which takes and gives whatever there is, and deletes nothing. */
  store(): Promise<Store> {
    const unlimited = { rawRetention: 0, hourlyRetention: 0, maxSeriesPerDevice: 0, maxNewSeriesPerMinute: 0 };
    return openSampleStore(this.dataSource, { ...unlimited, sealInterval: 0 });
  }

  close(): Promise<void> {
    return this.dataSource.destroy();
  }

  devices(): Promise<DeviceRow[]> {
    return this.sql.rows<DeviceRow>(`SELECT id, name FROM device WHERE ${NOT_GONE}`);
  }

  async tables(): Promise<string[]> {
    const rows = await this.sql.rows<{ name: string }>(
      this.isPostgres
        ? 'SELECT tablename AS name FROM pg_tables WHERE schemaname = current_schema()'
        : `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`,
    );
    return rows.map(({ name }) => name).filter((name) => !OWN_WAY.has(name));
  }

  /** @throws Error while hours are on their way from one device to another. */
  async assertAtRest(): Promise<void> {
    const [merge] = await this.sql.rows('SELECT 1 AS one FROM device_merge');
    if (merge)
      throw new Error('cannot be copied to while the first moves the history of a device to another: try again later');
  }

  /** The columns of a table, those of its primary key, and those that are true or false. */
  async shape(table: string): Promise<{ columns: string[]; key: string[]; booleans: Set<string> }> {
    const rows = await this.sql.rows<{ name: string; type: string; pk: number }>(
      this.isPostgres
        ? `SELECT a.attname AS name, format_type(a.atttypid, NULL) AS type,
             coalesce((SELECT array_position(i.indkey::smallint[], a.attnum) FROM pg_index i
               WHERE i.indrelid = a.attrelid AND i.indisprimary), -1) + 1 AS pk
           FROM pg_attribute a WHERE a.attrelid = to_regclass(quote_ident(?)) AND a.attnum > 0 AND NOT a.attisdropped
             AND a.attgenerated = ''`
        : 'SELECT name, type, pk FROM pragma_table_info(?)',
      table,
    );
    return {
      columns: rows.map(({ name }) => name),
      key: rows
        .filter(({ pk }) => pk > 0)
        .sort((a, b) => a.pk - b.pk)
        .map(({ name }) => name),
      booleans: new Set(rows.filter(({ type }) => type.toLowerCase() === 'boolean').map(({ name }) => name)),
    };
  }

  /** The pieces of a device, by id and part. */
  async pieceHeads(deviceId: number): Promise<PieceHead[]> {
    if (this.isPostgres) {
      const rows = await this.sql.rows<{ hour: number; part: number; mark: string }>(
        `SELECT hour, part, concat_ws(' ', sealed_through, octet_length(stats), encode(substr(stats, 2, 4), 'hex'),
           coalesce(octet_length(data), 0), coalesce(encode(substr(data, 2, 4), 'hex'), '')) AS mark
         FROM piece WHERE device_id = ? ORDER BY hour, part`,
        deviceId,
      );
      return rows.map(({ hour, part, mark }) => ({ id: chunkId(deviceId, hour), part, mark }));
    }
    const mark = `sealed_through || ' ' || length(stats) || ' ' || lower(hex(substr(stats, 2, 4))) || ' ' ||
      coalesce(length(data), 0) || ' ' || coalesce(lower(hex(substr(data, 2, 4))), '') AS mark`;
    const range = 'WHERE id >= ? AND id < ?';
    const [first, end] = [chunkId(deviceId, 0), chunkId(deviceId, HOURS)];
    return this.sql.rows<PieceHead>(
      `SELECT id, 0 AS part, ${mark} FROM chunk ${range} UNION ALL SELECT id, part, ${mark} FROM part ${range} ORDER BY id, part`,
      first,
      end,
      first,
      end,
    );
  }

  async piece({ id, part }: PieceHead): Promise<Piece | undefined> {
    const columns = 'sealed_through AS "sealedThrough", stats, data';
    const [row] = this.isPostgres
      ? await this.sql.rows<Piece>(
          `SELECT ${columns} FROM piece WHERE device_id = ? AND hour = ? AND part = ?`,
          deviceOfChunk(id),
          hourOfChunk(id),
          part,
        )
      : part === 0
        ? await this.sql.rows<Piece>(`SELECT ${columns} FROM chunk WHERE id = ?`, id)
        : await this.sql.rows<Piece>(`SELECT ${columns} FROM part WHERE id = ? AND part = ?`, id, part);
    return row;
  }

  putPiece({ id, part }: PieceHead, { sealedThrough, stats, data }: Piece): Statement {
    const values = [sealedThrough, Buffer.from(stats), data && Buffer.from(data)];
    const update = `DO UPDATE SET sealed_through = excluded.sealed_through, stats = excluded.stats, data = excluded.data`;
    if (this.isPostgres) {
      return [
        `INSERT INTO piece (device_id, hour, part, through, sealed_through, stats, data) VALUES (?, ?, ?, '{}', ?, ?, ?)
         ON CONFLICT (device_id, hour, part) ${update}, through = '{}'`,
        deviceOfChunk(id),
        hourOfChunk(id),
        part,
        ...values,
      ];
    }
    return part === 0
      ? [
          `INSERT INTO chunk (id, sealed_through, stats, data) VALUES (?, ?, ?, ?) ON CONFLICT (id) ${update}`,
          id,
          ...values,
        ]
      : [
          `INSERT INTO part (id, part, sealed_through, stats, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id, part) ${update}`,
          id,
          part,
          ...values,
        ];
  }

  dropPiece({ id, part }: PieceHead): Statement {
    if (this.isPostgres) {
      return [
        'DELETE FROM piece WHERE device_id = ? AND hour = ? AND part = ?',
        deviceOfChunk(id),
        hourOfChunk(id),
        part,
      ];
    }
    return part === 0
      ? ['DELETE FROM chunk WHERE id = ?', id]
      : ['DELETE FROM part WHERE id = ? AND part = ?', id, part];
  }

  /** Ids that are given from here on are greater than all that were copied. */
  async finish(): Promise<void> {
    if (!this.isPostgres) {
      // A journal row of the copy must not be taken for one that a chunk has.
      await this.sql.together([
        [
          `UPDATE sqlite_sequence SET seq = max(seq, (SELECT max(coalesce((SELECT max(sealed_through) FROM chunk), 0),
             coalesce((SELECT max(sealed_through) FROM part), 0)))) WHERE name = 'journal'`,
        ],
        [
          `INSERT INTO sqlite_sequence (name, seq) SELECT 'journal', max(coalesce((SELECT max(sealed_through) FROM chunk), 0),
             coalesce((SELECT max(sealed_through) FROM part), 0)) WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'journal')`,
        ],
      ]);
      return;
    }
    for (const name of ['device', 'series']) {
      await this.sql.rows(
        `UPDATE id_counter SET next = greatest(next, (SELECT coalesce(max(id), 0) + 1 FROM ${name})) WHERE name = '${name}'`,
      );
    }
    for (const table of await this.tables()) {
      const { key } = await this.shape(table);
      if (key.length !== 1 || key[0] !== 'id') continue;
      await this.sql.rows(
        `SELECT setval(pg_get_serial_sequence(?, 'id'), (SELECT max(id) FROM "${table}")::bigint)
         WHERE pg_get_serial_sequence(?, 'id') IS NOT NULL AND EXISTS (SELECT 1 FROM "${table}")`,
        table,
        table,
      );
    }
  }

  /** Rows of the journal in the order in which they count. */
  async *journal(): AsyncGenerator<{ readonly key: number; readonly data: Uint8Array }> {
    if (!this.isPostgres) {
      for (let last = 0; ;) {
        const rows = await this.sql.rows<{ id: number; data: Uint8Array }>(
          'SELECT id, data FROM journal WHERE id > ? ORDER BY id LIMIT 32',
          last,
        );
        for (const { id, data } of rows) yield { key: id, data };
        if (rows.length === 0) return;
        last = rows[rows.length - 1].id;
      }
    }
    const rows = await this.sql.rows<{ writer: number; number: number }>(
      'SELECT writer, number FROM journal ORDER BY at, writer, number',
    );
    for (const { writer, number } of rows) {
      const [row] = await this.sql.rows<{ data: Uint8Array }>(
        'SELECT data FROM journal WHERE writer = ? AND number = ?',
        writer,
        number,
      );
      if (row) yield { key: rowKey(writer, number), data: row.data };
    }
  }
}

/** Whether two are one database, by whichever addresses: while it is written, nothing would be left to copy. */
async function isSame(source: Side, target: Side): Promise<boolean> {
  if (source.isPostgres !== target.isPostgres) return false;
  if (!source.isPostgres) {
    const [one, other] = [source, target].map(({ address }) => statSync(address, { bigint: true }));
    return one.dev === other.dev && one.ino === other.ino;
  }
  // Such a lock is one of a database.
  const runner = source.dataSource.createQueryRunner();
  const key = randomInt(2 ** 31);
  try {
    await runner.startTransaction();
    await runner.query('SELECT pg_advisory_xact_lock($1)', [key]);
    const [{ free }] = await target.sql.rows<{ free: boolean }>('SELECT pg_try_advisory_xact_lock(?) AS free', key);
    await runner.commitTransaction();
    return !free;
  } finally {
    await runner.release();
  }
}

/** Users, tokens, alerts and all other rows that have nothing to do with samples. */
async function copyRows(source: Side, target: Side, say: (line: string) => void): Promise<void> {
  const theirs = new Set(await target.tables());
  for (const table of await source.tables()) {
    if (!theirs.has(table)) continue;
    const [from, to] = [await source.shape(table), await target.shape(table)];
    const columns = from.columns.filter((column) => to.columns.includes(column));
    const list = columns.map((column) => `"${column}"`).join(', ');
    const rows = await source.sql.rows<Record<string, unknown>>(`SELECT ${list} FROM "${table}"`);
    const others = columns.filter((column) => !to.key.includes(column));
    const key = to.key.map((column) => `"${column}"`).join(', ');
    // The audit only grows.
    const update =
      table === 'audit' || others.length === 0
        ? 'DO NOTHING'
        : `DO UPDATE SET ${others.map((column) => `"${column}" = excluded."${column}"`).join(', ')}${
            to.columns.includes('checksum') && !columns.includes('checksum') ? ', checksum = NULL' : ''
          }`;
    const insert = `INSERT INTO "${table}" (${list}) VALUES (${columns.map(() => '?').join(', ')}) ON CONFLICT (${key}) ${update}`;
    const valueOf = (row: Record<string, unknown>, column: string): unknown => {
      const value = row[column];
      if (value === null || !to.booleans.has(column)) return value;
      return target.isPostgres ? Boolean(value) : Number(value);
    };
    for (let at = 0; at < rows.length; at += BATCH) {
      const some = rows.slice(at, at + BATCH);
      await target.sql.together(
        some.map((row): Statement => [insert, ...columns.map((column) => valueOf(row, column))]),
      );
    }
    if (rows.length > 0) say(`${rows.length} rows of ${table}`);
  }
}

async function copyCatalogue(source: Side, target: Side): Promise<{ devices: number; series: number }> {
  const devices = await source.sql.rows<Record<string, unknown>>(
    `SELECT id, name, display_name, notes, tags FROM device WHERE ${NOT_GONE}`,
  );
  const known = new Map(devices.map(({ id, name }) => [id as number, name as string]));
  const foreign = (await target.devices()).filter(({ id }) => !known.has(id)).map(({ name }) => name);
  if (foreign.length > 0) {
    throw new Error(
      `has devices that are not in the other (${foreign.slice(0, 3).join(', ')}): copy into an empty database, or into one that was copied from this before`,
    );
  }
  // SQLite gives rows their checksums when a store opens it.
  const noChecksum = target.isPostgres ? '' : ', checksum = NULL';
  const put = async (
    table: string,
    key: string,
    columns: readonly string[],
    rows: readonly Record<string, unknown>[],
  ) => {
    const rest = columns.filter((column) => !key.split(', ').includes(column));
    const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
      ON CONFLICT (${key}) DO UPDATE SET ${rest.map((column) => `${column} = excluded.${column}`).join(', ')}${noChecksum}`;
    for (let at = 0; at < rows.length; at += BATCH) {
      const some = rows.slice(at, at + BATCH);
      await target.sql.together(some.map((row): Statement => [sql, ...columns.map((column) => row[column])]));
    }
  };
  // A name may have gone from one device to another since the copy before: all make way first.
  await target.sql.rows(`UPDATE device SET name = '\u0001' || id`);
  await put('device', 'id', ['id', 'name', 'display_name', 'notes', 'tags'], devices);
  const columns = ['id', 'device_id', 'metric_name', 'labels_key', 'unit'];
  let count = 0;
  for (let last = 0; ;) {
    const rows = await source.sql.rows<Record<string, unknown>>(
      `SELECT ${columns.join(', ')} FROM series WHERE id > ? AND device_id IN (SELECT id FROM device WHERE ${NOT_GONE})
       ORDER BY id LIMIT 2000`,
      last,
    );
    await put('series', target.isPostgres ? 'device_id, id' : 'id', columns, rows);
    count += rows.length;
    if (rows.length === 0) break;
    last = rows[rows.length - 1]['id'] as number;
  }
  // Over nodes, rows that lie together are joined where they are, and others not at all.
  const [device, together] = source.isPostgres ? ['l.device_id', 'AND s.device_id = l.device_id'] : ['s.device_id', ''];
  const latest = await source.sql.rows<Record<string, unknown>>(
    `SELECT l.series_id, l.ts, l.value, ${device} FROM latest l JOIN series s ON s.id = l.series_id ${together}
     JOIN device d ON d.id = s.device_id WHERE d.${NOT_GONE}`,
  );
  const value = (row: Record<string, unknown>): Record<string, unknown> =>
    target.isPostgres && Object.is(row['value'], -0) ? { ...row, value: '-0' } : row;
  await put(
    'latest',
    target.isPostgres ? 'device_id, series_id' : 'series_id',
    target.isPostgres ? ['device_id', 'series_id', 'ts', 'value'] : ['series_id', 'ts', 'value'],
    latest.map(value),
  );
  return { devices: devices.length, series: count };
}

async function copyPieces(
  source: Side,
  target: Side,
  say: (line: string) => void,
): Promise<{ written: number; kept: number }> {
  let [written, kept, done] = [0, 0, 0];
  const devices = await source.devices();
  let said = Date.now();
  for (const { id } of devices) {
    const there = new Map((await target.pieceHeads(id)).map((head) => [`${head.id} ${head.part}`, head]));
    const batch: Statement[] = [];
    let bytes = 0;
    const flush = async (): Promise<void> => {
      if (batch.length > 0) await target.sql.together(batch);
      batch.length = 0;
      bytes = 0;
    };
    for (const head of await source.pieceHeads(id)) {
      const known = there.get(`${head.id} ${head.part}`);
      there.delete(`${head.id} ${head.part}`);
      if (known?.mark === head.mark) {
        kept += 1;
        continue;
      }
      const piece = await source.piece(head);
      if (!piece) continue;
      batch.push(target.putPiece(head, piece));
      written += 1;
      bytes += piece.stats.length + (piece.data?.length ?? 0);
      if (batch.length >= BATCH || bytes > 4e6) await flush();
    }
    for (const head of there.values()) batch.push(target.dropPiece(head));
    await flush();
    done += 1;
    if (Date.now() - said >= 2000 || done === devices.length) {
      said = Date.now();
      say(`${done} of ${devices.length} devices: ${written} chunks and parts written, ${kept} were there`);
    }
  }
  return { written, kept };
}

/** Sends the samples of the journal to the other: the later ones come later. */
async function copyJournal(source: Side, target: Side): Promise<number> {
  const series = new Map<number, Pick<Sample, 'deviceName' | 'metricName' | 'labels' | 'unit'>>();
  const names = new Map((await source.devices()).map(({ id, name }) => [id, name]));
  const rows = await source.sql.rows<{
    id: number;
    device_id: number;
    metric_name: string;
    labels_key: string;
    unit: string | null;
  }>('SELECT id, device_id, metric_name, labels_key, unit FROM series');
  for (const { id, device_id, metric_name: metricName, labels_key, unit } of rows) {
    const labels = JSON.parse(labels_key) as Sample['labels'];
    series.set(id, { deviceName: names.get(device_id) ?? '', metricName, labels, unit: unit ?? undefined });
  }
  const store = await target.store();
  let count = 0;
  try {
    let waiting: Sample[] = [];
    for await (const { key, data } of source.journal()) {
      const row = readJournalRow(data, key);
      for (let index = 0; index < row.seriesIds.length; index += 1) {
        const one = series.get(row.seriesIds[index]);
        if (one) waiting.push({ ...one, timestamp: row.timestamps[index], value: row.values[index] });
      }
      if (waiting.length < SAMPLES_AT_ONCE) continue;
      await store.append(waiting);
      count += waiting.length;
      waiting = [];
    }
    await store.append(waiting);
    return count + waiting.length;
  } finally {
    await store.close();
  }
}

/** Reads all of both up to the moment when the copy began. */
async function compare(
  source: Side,
  target: Side,
  began: number,
  say: (line: string) => void,
): Promise<{ samples: number; different: string[] }> {
  const [a, b] = [await source.store(), await target.store()];
  try {
    const different: string[] = [];
    let [samples, done] = [0, 0];
    let said = Date.now();
    const devices = await source.devices();
    for (const { name } of devices) {
      const selector = { devices: [name] };
      const [ofA, ofB] = [await hashes(a, selector, began), await hashes(b, selector, began)];
      for (const [series, one] of ofA) {
        if (ofB.get(series)?.hash === one.hash) samples += one.count;
        else different.push(series);
      }
      for (const series of ofB.keys()) if (!ofA.has(series)) different.push(series);
      done += 1;
      if (Date.now() - said >= 2000 || done === devices.length) {
        said = Date.now();
        say(`${done} of ${devices.length} devices compared: ${samples} samples alike`);
      }
    }
    return { samples, different };
  } finally {
    await a.close();
    await b.close().catch((error: unknown) => say(reasonOf(error)));
  }
}

const nameOf = ({ deviceName, metricName, labels }: Series): string =>
  `${deviceName}/${metricName}${JSON.stringify(labels)}`;

/** By series the count and a hash of all samples, and of the summaries that are left of older ones. */
async function hashes(
  store: Store,
  selector: { devices: string[] },
  end: number,
): Promise<Map<string, { count: number; hash: string }>> {
  const series = await store.findSeries(selector);
  const found = new Map<string, { count: number; hash: string }>();
  for await (const { series: one, timestamps, values } of store.readSamples(
    series,
    { start: 0, end },
    { summaries: 'ends' },
  )) {
    const hash = createHash('sha1')
      .update(new Uint8Array(Float64Array.from(timestamps).buffer))
      .update(new Uint8Array(Float64Array.from(values).buffer))
      .digest('hex');
    found.set(nameOf(one), { count: timestamps.length, hash });
  }
  return found;
}
