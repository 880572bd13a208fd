import { convert, Slices } from '@device-metrics/domain';
import type { Database, Statement } from 'better-sqlite3';
import { assertMergeable, conversionInto, partsOfHeads } from '../columnar/device-merge.js';
import type { Heads } from '../columnar/heads.js';
import { chunkId, hourOfChunk, HOURS } from '../columnar/hour.js';
import { mergeHour, type MergedHour, type SeriesTarget } from '../columnar/merge-hour.js';
import type { Sealer } from '../columnar/sealer.js';
import type { SeriesCatalogue } from '../columnar/series-catalogue.js';
import type { Device, SeriesEntry } from '../columnar/series-entry.js';
import { SingleRun } from '../columnar/single-run.js';
import type { DeviceDescription } from '../store.js';
import type { PieceTable } from './piece-table.js';
import { isUnreadable } from './unreadable.js';

/** Chunks that are moved in one transaction. */
const SLICE = 16;

/** An hour that is about to be written. */
interface Moved {
  readonly hour: number;
  readonly sealedThrough: number;
  readonly merged: MergedHour;
}

/**
 * Makes one device of two. One transaction gives the series, the names and the latest samples of the source to the target and
 * takes note of the merge; from then on there is no source. Its hours follow, each with its whole content in one transaction, and
 * after a crash with the next `finish`.
 */
export class DeviceMerges {
  private readonly moving = new SingleRun(() => this.moveAll());
  private readonly statements;

  constructor(
    private readonly db: Database,
    private readonly catalogue: SeriesCatalogue,
    private readonly heads: Heads,
    private readonly pieces: PieceTable,
    private readonly sealer: Sealer,
    private readonly maxSeries: number,
  ) {
    this.statements = prepare(db);
  }

  /**
   * Resolves once everything of the source is with the target; false where one of them is gone.
   *
   * @throws NotMergeableError, and what `describe` throws
   */
  async merge(
    source: Device,
    target: Device,
    describe: (source: DeviceDescription, target: DeviceDescription) => DeviceDescription,
  ): Promise<boolean> {
    // What is still on its way to the source has to be there.
    await this.finish();
    const joined = await this.sealer.alone(async () => {
      await this.sealer.sealDevice(source.id);
      if (!this.isThere(source) || !this.isThere(target)) return false;
      this.join(source, target, describe(source.description, target.description));
      return true;
    });
    if (joined) await this.finish();
    return joined;
  }

  /** Goes on with merges that are not at their end. */
  finish(): Promise<void> {
    return this.moving.runAnew();
  }

  /** Ends after what is being written now. */
  stop(): Promise<void> {
    return this.moving.stop();
  }

  /** Devices that are gone and whose hours are not yet with another. */
  sources(): number[] {
    return this.statements.merges.all().map(({ source }) => source);
  }

  private isThere(device: Device): boolean {
    return this.catalogue.deviceById(device.id) === device;
  }

  private join(source: Device, target: Device, description: DeviceDescription): void {
    const { catalogue, heads } = this;
    assertMergeable(source, target, this.maxSeries);
    const latest: [id: number, time: number, value: number][] = [];
    try {
      this.db.transaction(() => {
        this.sealHeads(source);
        for (const entry of source.entries()) for (const sample of this.joinSeries(entry, target)) latest.push(sample);
        this.describe(target, description);
        for (const statement of this.statements.leave) statement.run(source.id);
        this.statements.addMerge.run(source.id, target.id);
        this.statements.moveNames.run(target.id, source.id);
        this.statements.addName.run(source.name, target.id);
      })();
    } catch (error) {
      catalogue.undo();
      throw error;
    }
    catalogue.keep();
    heads.dropDevice(source.id);
    catalogue.mergeDevice(source, target);
    target.description = description;
    for (const [id, time, value] of latest) catalogue.latest.note(id, time, value);
  }

  /** Gives the latest sample, if it is that of the source. */
  private joinSeries(entry: SeriesEntry, target: Device): [number, number, number][] {
    const { latest } = this.catalogue;
    const into = this.catalogue.counterpart(target, entry);
    const { factor, offset } = conversionInto(entry.series, into.series);
    this.statements.addSeries.run(entry.id, entry.device.id, into.id, factor, offset);
    const [time, value] = [latest.timeOf(entry.id), convert(latest.valueOf(entry.id), { factor, offset })];
    if (!(time > latest.timeOf(into.id))) return [];
    this.pieces.saveLatest(into.id, time, value);
    return [[into.id, time, value]];
  }

  private describe({ id }: Device, { displayName, notes, tags }: DeviceDescription): void {
    this.statements.describe.run(displayName, notes, JSON.stringify(tags), id);
  }

  /** What came since the heads were made parts, which is little. */
  private sealHeads(source: Device): void {
    for (const { hour, sealedThrough, piece } of partsOfHeads(this.heads.ofDevice(source.id))) {
      this.pieces.write([{ id: chunkId(source.id, hour), sealedThrough, kind: 'part', under: [], piece, latest: [] }]);
    }
  }

  private async moveAll(): Promise<void> {
    const slices = new Slices();
    for (const { source, target } of this.statements.merges.all()) {
      const targets = this.targetsOf(source);
      let hour: number | undefined = 0;
      while (hour !== undefined && !this.moving.stopped) {
        const from: number = hour;
        hour = await this.sealer.alone(() => this.move(source, target, targets, from, slices));
      }
      if (!this.moving.stopped) this.db.transaction(() => this.statements.forget.forEach((one) => one.run(source)))();
    }
  }

  private targetsOf(source: number): Map<number, SeriesTarget> {
    const targets = new Map<number, SeriesTarget>();
    for (const { series, target, factor, offset } of this.statements.series.all(source)) {
      // A series that has been deleted meanwhile gets nothing more.
      if (this.catalogue.get(target)) targets.set(series, { id: target, conversion: { factor, offset } });
    }
    return targets;
  }

  /** Moves hours from `from` on, those of at most `SLICE` chunks; gives the hour to go on from. */
  private async move(
    source: number,
    target: number,
    targets: ReadonlyMap<number, SeriesTarget>,
    from: number,
    slices: Slices,
  ): Promise<number | undefined> {
    const { pieces } = this;
    const chunks = pieces.chunks(source, from, HOURS, SLICE);
    const end = chunks.length < SLICE ? HOURS : hourOfChunk(chunks[SLICE - 1].id) + 1;
    const hours = new Set(chunks.map(({ id }) => hourOfChunk(id)));
    for (const hour of pieces.hoursWithParts(source)) if (hour >= from && hour < end) hours.add(hour);
    const moved: Moved[] = [];
    for (const hour of [...hours].sort((a, b) => a - b)) {
      const there = pieces.at(target, hour);
      const sealedThrough = there.reduce((last, piece) => Math.max(last, piece.sealedThrough), 0);
      const merged = await mergeHour(hour, pieces.at(source, hour), there, targets, pieces, slices);
      moved.push({ hour, sealedThrough, merged });
      if (slices.isOver()) await slices.next();
    }
    const device = this.catalogue.deviceById(target);
    // With the target all of this was deleted.
    if (!device) return undefined;
    this.write(source, device, moved);
    return end === HOURS ? undefined : end;
  }

  /** Together, or, where the database is damaged, one after the other: what cannot be moved is left behind, and set aside. */
  private write(source: number, target: Device, moved: readonly Moved[]): void {
    const putAll = (some: readonly Moved[]): void =>
      this.db.transaction(() => some.forEach((one) => this.put(source, target, one)))();
    try {
      putAll(moved);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      for (const one of moved) {
        try {
          putAll([one]);
        } catch (problem) {
          if (!isUnreadable(problem)) throw problem;
          this.pieces.close(chunkId(source, one.hour), problem);
        }
      }
    }
  }

  private put(source: number, target: Device, { hour, sealedThrough, merged }: Moved): void {
    const write = { id: chunkId(target.id, hour), sealedThrough, under: [] };
    const latest = this.catalogue.latestWithin(target.id, hour);
    if (merged.chunk) this.pieces.write([{ ...write, kind: 'chunk', piece: merged.chunk, latest }]);
    if (merged.part) this.pieces.write([{ ...write, kind: 'part', piece: merged.part, latest: [] }]);
    this.pieces.delete(source, hour, hour + 1, 2);
  }
}

interface SeriesRow {
  readonly series: number;
  readonly target: number;
  readonly factor: number;
  readonly offset: number;
}

function prepare(db: Database) {
  const one = <P extends unknown[], R = unknown>(sql: string): Statement<P, R> => db.prepare<P, R>(sql);
  return {
    merges: one<[], { source: number; target: number }>(
      'SELECT source_id AS source, target_id AS target FROM device_merge ORDER BY source_id',
    ),
    addMerge: one<[number, number]>('INSERT INTO device_merge (source_id, target_id) VALUES (?, ?)'),
    series: one<[number], SeriesRow>(
      'SELECT series_id AS series, target_series_id AS target, factor, shift AS "offset" FROM series_merge WHERE source_id = ?',
    ),
    addSeries: one<[number, number, number, number, number]>(
      'INSERT INTO series_merge (series_id, source_id, target_series_id, factor, shift) VALUES (?, ?, ?, ?, ?)',
    ),
    describe: one<[string | null, string | null, string, number]>(
      'UPDATE device SET display_name = ?, notes = ?, tags = ? WHERE id = ?',
    ),
    moveNames: one<[number, number]>('UPDATE device_alias SET device_id = ? WHERE device_id = ?'),
    addName: one<[string, number]>(`INSERT INTO device_alias (name, device_id) VALUES (?, ?)
       ON CONFLICT (name) DO UPDATE SET device_id = excluded.device_id`),
    leave: [
      'DELETE FROM latest WHERE series_id IN (SELECT id FROM series WHERE device_id = ?)',
      'DELETE FROM series WHERE device_id = ?',
      'DELETE FROM device WHERE id = ?',
    ].map((sql) => one<[number]>(sql)),
    forget: ['DELETE FROM series_merge WHERE source_id = ?', 'DELETE FROM device_merge WHERE source_id = ?'].map(
      (sql) => one<[number]>(sql),
    ),
  };
}
