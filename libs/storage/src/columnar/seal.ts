import { includeSummary, Slices, type Summary } from '@device-metrics/domain';
import type { Database } from 'better-sqlite3';
import type { ChunkTable } from '../sqlite/chunk-table.js';
import { ChunkEncoder, type EncodedChunk } from './chunk.js';
import { NOT_DECIMAL } from './codec/values.js';
import { mergeColumns, sameColumns, summarizeColumn, type Column } from './column.js';
import type { Head } from './head.js';
import type { Heads } from './heads.js';
import { chunkId, HOUR } from './hour.js';
import type { Journal } from '../sqlite/journal.js';
import type { SeriesCatalogue } from './series-catalogue.js';
import { SingleRun } from './single-run.js';
import { StatsWriter } from './stats.js';

export interface SealSettings {
  /** The clock, Unix milliseconds. */
  readonly now: () => number;
  /** How long after its hour's end, or after it was opened if that is later, a head is sealed; ms. */
  readonly sealDelay: number;
  /** A head with this many samples is sealed at once. */
  readonly maxHeadSamples: number;
  /** When the heads together hold more samples than this, the one that was idle longest is sealed. */
  readonly maxOpenSamples: number;
}

/** Turns heads into chunks, one at a time and in small slices, and trims the journal behind them. */
export class Sealer {
  private readonly work = new SingleRun(() => this.sealDue());

  constructor(
    private readonly db: Database,
    private readonly catalogue: SeriesCatalogue,
    private readonly heads: Heads,
    private readonly journal: Journal,
    private readonly chunks: ChunkTable,
    private readonly settings: SealSettings,
  ) {}

  /** Seals all heads that are due; together with a run that is under way, if there is one. */
  run(): Promise<void> {
    return this.work.run();
  }

  /** Ends after the head that is being sealed now. */
  stop(): Promise<void> {
    return this.work.stop();
  }

  /** Whether a head is too large, or all of them together are, so that sealing cannot wait. */
  isPressed(): boolean {
    return this.heads.overfull || this.heads.size > this.settings.maxOpenSamples;
  }

  private async sealDue(): Promise<void> {
    const slices = new Slices();
    for (let head = this.nextDue(); head && !this.work.stopped; head = this.nextDue()) {
      await this.seal(head, slices);
      await this.trimJournal(slices);
    }
  }

  /** Deletes the rows of the journal that no head needs any more. */
  async trimJournal(slices: Slices): Promise<void> {
    while (this.journal.trim(this.oldestNeededRow())) await slices.next();
  }

  private nextDue(): Head | undefined {
    const now = this.settings.now();
    let due: Head | undefined;
    let idlest: Head | undefined;
    for (const head of this.heads.all()) {
      // A frozen head is one whose sealing failed: those behind it have to wait for it.
      if (head.frozen || head.size >= this.settings.maxHeadSamples) return head;
      if (this.dueAt(head) <= now && (!due || head.hour < due.hour)) due = head;
      if (!idlest || head.lastPush < idlest.lastPush) idlest = head;
    }
    this.heads.overfull = false;
    return due ?? (this.isPressed() ? idlest : undefined);
  }

  /** Devices take their turns over another `sealDelay`, so that not all are due at once. */
  private dueAt(head: Head): number {
    const turn = ((head.deviceId * 37) % 64) / 64;
    return Math.max(head.start + HOUR, head.openedAt) + this.settings.sealDelay * (1 + turn);
  }

  private oldestNeededRow(): number {
    let oldest = Infinity;
    for (const head of this.heads.all()) oldest = Math.min(oldest, head.firstRow);
    return oldest;
  }

  private async seal(head: Head, slices: Slices): Promise<void> {
    this.heads.freeze(head);
    const chunk = this.chunks.get(head.deviceId, head.hour);
    const columns = chunk ? this.chunks.columns(chunk.id) : new Map<number, Column>();
    const summaries = chunk && columns.size === 0 ? this.chunks.allSummaries(chunk) : undefined;
    const sealed = summaries?.size ? withStats(summaries, head) : await this.withSamples(columns, head, slices);
    if (!this.heads.has(head)) return;
    this.db.transaction(() => {
      if (sealed) this.chunks.put(chunkId(head.deviceId, head.hour), head.lastRow, sealed);
      for (const id of head.columns.keys()) this.saveLatest(id, head);
    })();
    this.heads.remove(head);
  }

  /** A chunk of `columns` with the samples of the head in them; undefined when these change nothing. */
  private async withSamples(
    columns: Map<number, Column>,
    head: Head,
    slices: Slices,
  ): Promise<EncodedChunk | undefined> {
    let changed = false;
    for (const [id, headColumn] of head.columns) {
      const under = columns.get(id);
      const over = headColumn.column();
      const merged = under ? mergeColumns(under, over) : over;
      changed ||= !under || !sameColumns(under, merged);
      columns.set(id, merged);
      if (slices.isOver()) await slices.next();
    }
    if (!changed) return undefined;
    const encoder = new ChunkEncoder(head.hour);
    for (const [id, column] of byId(columns)) {
      encoder.add(id, column);
      if (slices.isOver()) await slices.next();
    }
    return encoder.finish();
  }

  private saveLatest(seriesId: number, head: Head): void {
    const entry = this.catalogue.get(seriesId);
    if (entry && this.catalogue.latest.timeOf(seriesId) < head.start + HOUR) this.catalogue.saveLatest(entry);
  }
}

/**
 * `summaries` with those of the head in them, for a chunk whose samples are gone: damaged, or dropped and then the clock
 * was set back, since `oldestTimestamp` keeps out samples that old. A sample that comes again is counted again.
 */
function withStats(summaries: Map<number, Summary>, head: Head): { stats: Uint8Array; data: null } {
  for (const [id, column] of head.columns) {
    const summary = summarizeColumn(column.column(), head.start);
    const known = summaries.get(id);
    if (known) includeSummary(known, summary);
    else summaries.set(id, summary);
  }
  const writer = new StatsWriter(head.start);
  for (const [id, summary] of byId(summaries)) writer.add(id, summary, NOT_DECIMAL);
  return { stats: writer.finish(), data: null };
}

const byId = <T>(series: ReadonlyMap<number, T>): [number, T][] => [...series].sort(([a], [b]) => a - b);
