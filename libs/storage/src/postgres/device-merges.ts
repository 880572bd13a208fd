import { convert, Slices } from '@device-metrics/domain';
import { assertMergeable, conversionInto, partsOfHeads } from '../columnar/device-merge.js';
import { chunkId } from '../columnar/hour.js';
import { mergeHour, type SeriesTarget } from '../columnar/merge-hour.js';
import type { Heads } from '../columnar/heads.js';
import type { PieceWrite } from '../columnar/pieces.js';
import type { Sealer } from '../columnar/sealer.js';
import type { SeriesCatalogue } from '../columnar/series-catalogue.js';
import type { Device } from '../columnar/series-entry.js';
import { SingleRun } from '../columnar/single-run.js';
import { StoreUnavailableError, type DeviceDescription } from '../store.js';
import type { CatalogueRows } from './catalogue-rows.js';
import type { DamagedRows } from './damaged-rows.js';
import type { Database, Transaction } from './database.js';
import { shardOf, type Leases } from './leases.js';
import { saveLatest, type PgPieces } from './pieces.js';
import type { PositionLog } from './position-log.js';
import { UNDONE } from './transaction.js';

/** Hours that are moved in one transaction. */
const SLICE = 16;

interface TargetRow {
  readonly id: number;
  readonly metric_name: string;
  readonly labels_key: string;
  readonly unit: string | null;
}

/** What merging needs of the session that it is part of. */
export interface MergingSession {
  readonly catalogue: SeriesCatalogue;
  readonly heads: Heads;
  readonly log: PositionLog;
  readonly rows: CatalogueRows;
  readonly damaged: DamagedRows;
  readonly pieces: PgPieces;
  readonly sealer: Sealer;
  readonly leases: Leases;
  catchUp(): Promise<void>;
  assertSeals(transaction: Transaction, deviceIds: readonly number[]): Promise<void>;
}

/**
 * Makes one device of two, whichever process is asked. One transaction writes what is in heads, gives the series, the names and the latest
 * samples of the source to the target, and takes note of the merge. It waits for commits that are under way and holds off others, so that from
 * then on there is nothing new of the source in any process. Its hours follow, moved by the process that seals the target.
 */
export class PgDeviceMerges {
  private readonly moving = new SingleRun(() => this.moveAll());

  constructor(
    private readonly database: Database,
    private readonly session: MergingSession,
    private readonly maxSeries: number,
  ) {}

  /**
   * Takes the source out of the catalogue of all processes, and gives its id; undefined where one of them is gone. Only to be called while
   * this process commits nothing.
   *
   * @throws NotMergeableError, and what `describe` throws
   */
  async join(
    name: string,
    into: string,
    describe: (source: DeviceDescription, target: DeviceDescription) => DeviceDescription,
  ): Promise<number | undefined> {
    const { session } = this;
    const { catalogue } = session;
    const [source, target] = [catalogue.device(name), catalogue.device(into)];
    if (!source || !target) return undefined;
    const isThere = (): boolean => catalogue.device(name) === source && catalogue.device(into) === target;
    const joined = await session.sealer.alone(() =>
      this.database.urgentTransaction(async (transaction) => {
        // Nobody writes pieces of them from here on, nor a journal row from the note on.
        await transaction.rows('SELECT id FROM device WHERE id = ANY($1) ORDER BY id FOR UPDATE', [
          [source.id, target.id],
        ]);
        await session.rows.note(transaction, { mergedDevice: source.id, into: target.id });
        await session.catchUp();
        if (!isThere()) return UNDONE;
        const [pending] = await transaction.rows('SELECT 1 FROM device_merge WHERE target_id = $1', [source.id]);
        if (pending) throw new StoreUnavailableError(`samples are still on their way to ${name}`);
        assertMergeable(source, target, this.maxSeries);
        const description = describe(source.description, target.description);
        await this.sealHeads(transaction, source);
        await this.joinSeries(transaction, source, target);
        await this.joinDevices(transaction, source, target, description);
        return true;
      }),
    );
    if (joined === UNDONE) return undefined;
    await session.catchUp();
    return source.id;
  }

  /** Whether hours are on their way from a device or to it. */
  async isMoving(deviceId: number): Promise<boolean> {
    const rows = await this.database.rows('SELECT 1 FROM device_merge WHERE source_id = $1 OR target_id = $1 LIMIT 1', [
      deviceId,
    ]);
    return rows.length > 0;
  }

  /** Goes on with what this process has to move; together with a run that is under way, if there is one. */
  run(): Promise<void> {
    return this.moving.run();
  }

  /** Moves what this process has to move now. */
  finish(): Promise<void> {
    return this.moving.runAnew();
  }

  stop(): Promise<void> {
    return this.moving.stop();
  }

  private async sealHeads(transaction: Transaction, source: Device): Promise<void> {
    const { heads, log, pieces } = this.session;
    const parts = partsOfHeads(heads.ofDevice(source.id));
    const last = await transaction.rows<{ hour: number; last: number }>(
      'SELECT hour, max(part) AS last FROM piece WHERE device_id = $1 AND part > 0 GROUP BY hour',
      [source.id],
    );
    for (const { hour, last: part } of last) pieces.partIndex.add(chunkId(source.id, hour), part, 0);
    await pieces.write(
      transaction,
      parts.map(({ hour, sealedThrough, piece }) => ({
        id: chunkId(source.id, hour),
        sealedThrough,
        kind: 'part',
        under: [],
        piece,
        latest: [],
      })),
      ({ sealedThrough }) => log.throughAt(sealedThrough),
    );
  }

  /** Gives each series of the source one of the target, and that its latest sample where it is the later one. */
  private async joinSeries(transaction: Transaction, source: Device, target: Device): Promise<void> {
    const { rows, catalogue } = this.session;
    const entries = [...source.entries()];
    if (entries.length === 0) return;
    const first = await rows.take('series', entries.length);
    await transaction.run(
      `INSERT INTO series (id, device_id, metric_name, labels_key, unit)
       SELECT n.id, $2::bigint, n.metric, n.key, n.unit FROM unnest($1::bigint[], $3::text[], $4::text[], $5::text[]) AS n (id, metric, key, unit)
       ON CONFLICT (device_id, metric_name, labels_hash) DO UPDATE SET unit = coalesce(series.unit, excluded.unit)`,
      [
        entries.map((_, index) => first + index),
        target.id,
        entries.map(({ metricName }) => metricName),
        entries.map(({ labelsKey }) => labelsKey),
        entries.map(({ series }) => series.unit),
      ],
    );
    const all = await transaction.rows<TargetRow>(
      'SELECT id, metric_name, labels_key, unit FROM series WHERE device_id = $1',
      [target.id],
    );
    const placeOf = (metric: string, key: string): string => JSON.stringify([metric, key]);
    const byPlace = new Map(all.map((row) => [placeOf(row.metric_name, row.labels_key), row]));
    const moved = entries.map((entry) => {
      const into = byPlace.get(placeOf(entry.metricName, entry.labelsKey)) as TargetRow;
      return { entry, into, ...conversionInto(entry.series, { deviceName: target.name, unit: into.unit }) };
    });
    await transaction.run(
      `INSERT INTO series_merge (series_id, source_id, target_series_id, factor, shift)
       SELECT n.id, $2::bigint, n.target, n.factor, n.shift
       FROM unnest($1::bigint[], $3::bigint[], $4::double precision[], $5::double precision[]) AS n (id, target, factor, shift)`,
      [
        moved.map(({ entry }) => entry.id),
        source.id,
        moved.map(({ into }) => into.id),
        moved.map(({ factor }) => factor),
        moved.map(({ offset }) => offset),
      ],
    );
    const { latest } = catalogue;
    const later = moved.flatMap(({ entry, into, factor, offset }): [number, number, number][] => {
      const time = latest.timeOf(entry.id);
      const before = catalogue.get(into.id) ? latest.timeOf(into.id) : -Infinity;
      return time > before ? [[into.id, time, convert(latest.valueOf(entry.id), { factor, offset })]] : [];
    });
    await saveLatest(
      transaction,
      later.map((one) => [target.id, ...one] as const),
    );
  }

  private async joinDevices(
    transaction: Transaction,
    source: Device,
    target: Device,
    { displayName, notes, tags }: DeviceDescription,
  ): Promise<void> {
    await transaction.run('UPDATE device SET display_name = $2, notes = $3, tags = $4 WHERE id = $1', [
      target.id,
      displayName,
      notes,
      JSON.stringify(tags),
    ]);
    for (const table of ['latest', 'series']) {
      await transaction.run(`DELETE FROM ${table} WHERE device_id = $1`, [source.id]);
    }
    await transaction.run('DELETE FROM device WHERE id = $1', [source.id]);
    await transaction.run('INSERT INTO device_merge (source_id, target_id) VALUES ($1, $2)', [source.id, target.id]);
    await transaction.run('UPDATE device_alias SET device_id = $1 WHERE device_id = $2', [target.id, source.id]);
    await transaction.run(
      `INSERT INTO device_alias (name, device_id) VALUES ($1, $2)
       ON CONFLICT (name) DO UPDATE SET device_id = excluded.device_id`,
      [source.name, target.id],
    );
  }

  private async moveAll(): Promise<void> {
    const merges = await this.database.rows<{ source: number; target: number }>(
      'SELECT source_id AS source, target_id AS target FROM device_merge ORDER BY source_id',
    );
    // Series that another process has made of those of the source are to be known.
    if (merges.length > 0) await this.session.catchUp();
    for (const { source, target } of merges) {
      const targets = await this.targetsOf(source);
      const { leases, sealer } = this.session;
      const isMine = (): boolean => leases.shards.has(shardOf(target)) && !this.moving.stopped;
      while (isMine() && (await sealer.alone(() => this.move(source, target, targets))));
    }
  }

  private async targetsOf(source: number): Promise<Map<number, SeriesTarget>> {
    const rows = await this.database.rows<{ series: number; target: number; factor: number; shift: number }>(
      `SELECT series_id AS series, target_series_id AS target, factor, shift FROM series_merge WHERE source_id = $1`,
      [source],
    );
    return new Map(
      rows.flatMap(({ series, target, factor, shift }): [number, SeriesTarget][] =>
        // A series that has been deleted meanwhile gets nothing more.
        this.session.catalogue.get(target) ? [[series, { id: target, conversion: { factor, offset: shift } }]] : [],
      ),
    );
  }

  /** Moves the first hours that are left, or takes note that there are none any more, and is false then. */
  private async move(source: number, target: number, targets: ReadonlyMap<number, SeriesTarget>): Promise<boolean> {
    const { pieces, catalogue, damaged } = this.session;
    const slices = new Slices();
    const hours = await this.database.rows<{ hour: number }>(
      `SELECT DISTINCT hour FROM piece WHERE device_id = $1 ORDER BY hour LIMIT ${SLICE}`,
      [source],
    );
    const writes: PieceWrite[] = [];
    for (const { hour } of hours) {
      const under = await pieces.at(target, hour);
      const merged = await mergeHour(hour, await pieces.at(source, hour), under, targets, pieces, slices);
      const write = { id: chunkId(target, hour), sealedThrough: 0, under };
      const latest = catalogue.latestWithin(target, hour);
      if (merged.chunk) writes.push({ ...write, kind: 'chunk', piece: merged.chunk, latest });
      if (merged.part) writes.push({ ...write, kind: 'part', piece: merged.part, latest: [] });
      if (slices.isOver()) await slices.next();
    }
    await damaged.settled();
    await this.database.transaction(async (transaction) => {
      await this.session.assertSeals(transaction, [target]);
      await pieces.write(transaction, writes, () => ({}));
      await transaction.run('DELETE FROM piece WHERE device_id = $1 AND hour = ANY($2)', [
        source,
        hours.map(({ hour }) => hour),
      ]);
      if (hours.length > 0) return;
      for (const table of ['series_merge', 'device_merge']) {
        await transaction.run(`DELETE FROM ${table} WHERE source_id = $1`, [source]);
      }
    });
    pieces.written(writes);
    return hours.length > 0;
  }
}
