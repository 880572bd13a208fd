import { finishInSlices, type Slices } from '@device-metrics/domain';
import type { Database } from 'better-sqlite3';
import { openJournalRow, RowMemory, type RowColumns } from '../columnar/codec/journal-row.js';
import type { DamagedTable } from './damaged-table.js';
import type { Heads } from '../columnar/heads.js';
import { chunkId, hourOfChunk, HOURS } from '../columnar/hour.js';
import type { Journal, StoredRow } from './journal.js';
import type { PieceTable } from './piece-table.js';
import type { SeriesCatalogue } from '../columnar/series-catalogue.js';
import type { DeviceRun, SeriesPlaces } from '../columnar/series-places.js';
import type { RecentReadings } from '../columnar/recent-readings.js';
import { JournalReadings } from '../columnar/journal-readings.js';

/** Chunks that are looked at in one turn. */
const CHUNKS = 32;

/**
 * Makes the heads anew from the journal, in slices, and takes note of the latest samples of parts, which are written down with their
 * chunk only. Samples that are in a chunk or a part already are left out: an older sample must not come back over a newer
 * one that was sealed with it. Damaged rows are set aside.
 */
export async function recoverHeads(
  db: Database,
  catalogue: SeriesCatalogue,
  heads: Heads,
  journal: Journal,
  pieces: PieceTable,
  damaged: DamagedTable,
  recent: RecentReadings,
  now: number,
  slices: Slices,
): Promise<void> {
  const readings = new JournalReadings();
  const removeRow = db.prepare<[number]>('DELETE FROM journal WHERE id = ?');
  const sealedThrough = new Map<number, number>();
  await noteLatestOfParts(catalogue, pieces, slices);

  const isSealed = (deviceId: number, hour: number, row: number): boolean => {
    const id = chunkId(deviceId, hour);
    let through = sealedThrough.get(id);
    if (through === undefined) sealedThrough.set(id, (through = pieces.sealedThrough(id)));
    return row <= through;
  };

  for (const { id } of catalogue.allDevices()) {
    for (const [hour, through] of pieces.lastSealed(id)) {
      sealedThrough.set(chunkId(id, hour), through);
      journal.skipTo(through);
    }
    if (slices.isOver()) await slices.next();
  }
  const reader = new RowReader(catalogue);
  for (const row of journal.stored()) {
    if (slices.isOver()) await slices.next();
    const samples = reader.read(row);
    if (!samples) {
      db.transaction(() => {
        damaged.setAside('journal', row.id, row.data, now);
        removeRow.run(row.id);
      })();
      continue;
    }
    journal.count(row.id, row.data.length);
    const { places, timestamps } = samples;
    for (const { device, from, to } of places.runs) readings.note(device, places.slots, timestamps, from, to);
    heads.pushRow(places, samples, row.id, now, (device, hour) => isSealed(device, hour, row.id));
  }
  readings.keep(recent, heads);
}

/** Finds the latest samples of series of which none is known: their rows were damaged, or are gone. */
export async function remakeLatest(catalogue: SeriesCatalogue, pieces: PieceTable, slices: Slices): Promise<void> {
  const { latest } = catalogue;
  for (const device of catalogue.allDevices()) {
    const wanted = new Set<number>();
    for (const entry of device.slots) if (entry && latest.timeOf(entry.id) === -Infinity) wanted.add(entry.id);
    if (slices.isOver()) await slices.next();
    if (wanted.size === 0) continue;
    for (let from: number | undefined = 0; from !== undefined;) {
      const chunks = pieces.chunks(device.id, from, HOURS, CHUNKS);
      for (const piece of chunks) {
        pieces.summaries(piece, (series, { last, lastTime }) => {
          if (wanted.has(series)) latest.note(series, lastTime, last);
        });
      }
      from = chunks.length < CHUNKS ? undefined : hourOfChunk(chunks[CHUNKS - 1].id) + 1;
      if (slices.isOver()) await slices.next();
    }
    pieces.saveAllLatest(
      [...wanted]
        .filter((id) => latest.timeOf(id) !== -Infinity)
        .map((id) => [id, latest.timeOf(id), latest.valueOf(id)]),
    );
  }
}

const noteLatestOfParts = (catalogue: SeriesCatalogue, pieces: PieceTable, slices: Slices): Promise<void> =>
  finishInSlices(
    pieces.readAllParts((series, { last, lastTime }) => {
      if (catalogue.get(series)) catalogue.latest.note(series, lastTime, last);
    }),
    slices,
  );

interface RecoveredSamples extends RowColumns {
  /** But for series that have been deleted since. */
  readonly places: SeriesPlaces;
}

/** Reads one row after the other, in the same memory. */
class RowReader {
  private readonly memory = new RowMemory();
  private slots = new Uint32Array(1024);

  constructor(private readonly catalogue: SeriesCatalogue) {}

  /** Its samples, until the next row is read; undefined when the row is damaged or names a series that never existed. */
  read(row: StoredRow): RecoveredSamples | undefined {
    try {
      const open = openJournalRow(row.data, row.id, undefined, (count) => this.memory.of(count).ids);
      const { ids } = open.series;
      const runs = this.place(ids);
      if (!runs) return undefined;
      const { timestamps, values } = this.memory.of(ids.length);
      open.readTimes(timestamps);
      let isRead = false;
      return {
        places: { ids, slots: this.slots, runs },
        timestamps,
        get values() {
          if (!isRead) open.readValues(values);
          isRead = true;
          return values;
        },
      };
    } catch {
      return undefined;
    }
  }

  /** Finds the slots of series, and which of them follow each other in one device. */
  private place(ids: Float64Array): DeviceRun[] | undefined {
    const { catalogue } = this;
    if (this.slots.length < ids.length) this.slots = new Uint32Array(ids.length);
    const runs: DeviceRun[] = [];
    let isKnown = true;
    catalogue.slots.place(ids, this.slots, (deviceId, from, to) => {
      const device = catalogue.deviceById(deviceId);
      if (device) runs.push({ device, from, to });
      else for (let at = from; at < to && isKnown; at += 1) isKnown = catalogue.wasThere(ids[at]);
    });
    return isKnown ? runs : undefined;
  }
}
