import type { Slices, Summary, TimeRange } from '@device-metrics/domain';
import type { ChunkTable, StoredStats } from '../sqlite/chunk-table.js';
import { mergeColumns, sliceColumn, summarizeColumn, type Column } from './column.js';
import type { Head } from './head.js';
import type { Heads } from './heads.js';
import { HOUR, hourOfChunk } from './hour.js';

export type Visit = (seriesId: number, summary: Readonly<Summary>) => void;

/** All that the store has of one device and hour: a chunk, heads over it, or both. Valid until the next turn. */
export class DeviceHour {
  /** Unix milliseconds. */
  readonly start: number;

  constructor(
    readonly hour: number,
    private readonly chunk: StoredStats | undefined,
    private readonly heads: readonly Head[],
    private readonly chunks: ChunkTable,
  ) {
    this.start = hour * HOUR;
  }

  /** Whether its samples were dropped, so that only their summaries remain. */
  get hasOnlyStats(): boolean {
    return this.chunk?.raw === 0 && this.heads.length === 0;
  }

  /** The samples of the series that are wanted, by id, those of heads over those of the chunk. */
  columns(wanted: ReadonlySet<number>): Map<number, Column> {
    return this.overlay(this.sealedColumns(wanted), wanted);
  }

  /**
   * Calls `visit` with summaries of the wanted series within the range; more than once for one series where its parts
   * do not overlap. Samples are read only where the range cuts through those of a series or a head lies over them. An
   * hour of which only stats remain counts as a whole if its start is in the range.
   */
  summaries(range: TimeRange, wanted: ReadonlySet<number>, visit: Visit): void {
    const startsInside = this.start >= range.start && this.start < range.end;
    const overlaid = this.overlaid(wanted);
    const cut = new Map<number, Summary>();
    if (this.chunk) {
      const raw = this.chunk.raw === 1;
      this.chunks.summaries(this.chunk, (id, summary) => {
        if (!wanted.has(id)) return;
        if (!raw) {
          if (startsInside) visit(id, summary);
        } else if (overlaid.has(id)) {
          cut.set(id, { ...summary });
        } else if (summary.firstTime >= range.start && summary.lastTime < range.end) {
          visit(id, summary);
        } else if (summary.lastTime >= range.start && summary.firstTime < range.end) {
          cut.set(id, { ...summary });
        }
      });
    }
    if (cut.size === 0 && overlaid.size === 0) return;
    const sealed = this.sealedColumns(cut);
    // What should be there and is not has been found damaged just now.
    if (startsInside) for (const [id, summary] of cut) if (!sealed.has(id)) visit(id, summary);
    for (const [id, column] of this.overlay(sealed, overlaid)) {
      const inside = sliceColumn(column, range.start - this.start, range.end - this.start);
      if (inside.times.length > 0) visit(id, summarizeColumn(inside, this.start));
    }
  }

  private sealedColumns(wanted: { has(seriesId: number): boolean }): Map<number, Column> {
    return this.chunk?.raw === 1
      ? this.chunks.columns(this.chunk.id, (id) => wanted.has(id))
      : new Map<number, Column>();
  }

  /** Puts what heads have of the wanted series over `columns`. */
  private overlay(columns: Map<number, Column>, wanted: ReadonlySet<number>): Map<number, Column> {
    for (const head of this.heads) {
      for (const [id, headColumn] of head.columns) {
        if (!wanted.has(id)) continue;
        const under = columns.get(id);
        columns.set(id, under ? mergeColumns(under, headColumn.column()) : headColumn.column());
      }
    }
    return columns;
  }

  /** The wanted series of which heads have samples. */
  private overlaid(wanted: ReadonlySet<number>): Set<number> {
    const ids = new Set<number>();
    for (const head of this.heads) for (const id of head.columns.keys()) if (wanted.has(id)) ids.add(id);
    return ids;
  }
}

/** Chunks that are fetched at once: about what is visited before others get their turn, and it may be out of date. */
const PAGE = 8;

/** Visits the hours of a device that hold anything within the range, in order of time, and yields in between. */
export async function forEachHour(
  deviceId: number,
  range: TimeRange,
  heads: Heads,
  chunks: ChunkTable,
  slices: Slices,
  visit: (hour: DeviceHour) => void,
): Promise<void> {
  const end = Math.ceil(range.end / HOUR);
  let next = Math.floor(range.start / HOUR);
  while (next < end) {
    const page = chunks.range(deviceId, next, end, PAGE);
    const pageEnd = page.length < PAGE ? end : hourOfChunk(page[PAGE - 1].id) + 1;
    const byHour = new Map(page.map((chunk) => [hourOfChunk(chunk.id), chunk]));
    const hours = new Set(byHour.keys());
    for (const { hour } of heads.ofDevice(deviceId)) if (hour >= next && hour < pageEnd) hours.add(hour);
    next = pageEnd;
    for (const hour of [...hours].sort((a, b) => a - b)) {
      visit(new DeviceHour(hour, byHour.get(hour), heads.at(deviceId, hour), chunks));
      if (!slices.isOver()) continue;
      await slices.next();
      // What was fetched may be out of date by now.
      next = hour + 1;
      break;
    }
  }
}
