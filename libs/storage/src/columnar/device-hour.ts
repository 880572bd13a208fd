import type { Slices, Summary, TimeRange } from '@device-metrics/domain';
import { HOUR } from '@device-metrics/domain';
import { joinColumns, sliceColumn, summarizeColumn, type Column } from './column.js';
import type { Head } from './head.js';
import type { HeadSnapshot } from './heads.js';
import type { PieceReader, Pieces, StoredPiece, VisitSummary } from './pieces.js';

/** All that the store has of one device and hour: a chunk, parts over it, heads over these. */
export class DeviceHour {
  /** Unix milliseconds. */
  readonly start: number;

  constructor(
    readonly hour: number,
    /** In their order: the later ones win. */
    private readonly sealed: readonly StoredPiece[],
    private readonly heads: readonly Head[],
    private readonly pieces: Pieces,
    private readonly reader: PieceReader,
  ) {
    this.start = hour * HOUR;
  }

  /** Whether its samples were dropped, so that only their summaries remain. */
  get hasOnlyStats(): boolean {
    return this.heads.length === 0 && this.sealed.every(({ raw }) => raw === 0);
  }

  /** Calls `act` once the samples are at hand; gives a promise where they have to be fetched. */
  withSamples(act: () => void): Promise<void> | undefined {
    const fetching = this.reader.fetch(this.sealed);
    if (fetching) return fetching.then(act);
    act();
    return undefined;
  }

  /** The samples of the series that are wanted, by id, once they are at hand: those of heads over those of parts over those of the chunk. */
  columns(wanted: ReadonlySet<number>): Map<number, Column> {
    const found = new Map<number, Column[]>();
    const add = (id: number, column: Column): void => {
      const known = found.get(id);
      if (known) known.push(column);
      else found.set(id, [column]);
    };
    for (const piece of this.sealed) {
      if (piece.raw === 1) for (const [id, column] of this.pieces.columns(piece, wanted)) add(id, column);
    }
    for (const head of this.heads) head.columns(add, wanted);
    const joined = new Map<number, Column>();
    for (const [id, columns] of found) joined.set(id, joinColumns(columns));
    return joined;
  }

  /**
   * Calls `visit` with summaries of the wanted series within the range; more than once for one series where several
   * pieces have samples of it. Samples are read only where the range cuts through those of a series, or pieces overlap in
   * time. An hour of which only stats remain counts as a whole if its start is in the range.
   *
   * @returns a promise where samples have to be fetched.
   */
  summaries(range: TimeRange, wanted: ReadonlySet<number>, visit: VisitSummary): Promise<void> | undefined {
    const startsInside = this.start >= range.start && this.start < range.end;
    const [only] = this.sealed;
    if (only && this.sealed.length === 1 && this.heads.length === 0 && startsInside && this.start + HOUR <= range.end) {
      this.pieces.summaries(only, visit, wanted);
      return undefined;
    }
    if (this.sealed.length === 0 && this.heads.length === 1) {
      const cut = new Set<number>();
      this.heads[0].summaries(
        (id, summary) => {
          if (summary.firstTime < range.start || summary.lastTime >= range.end) cut.add(id);
          else visit(id, summary);
        },
        wanted,
        startsInside,
      );
      if (cut.size > 0) this.visitCut(range, undefined, cut, visit);
      return undefined;
    }
    const { whole, cut } = this.spans(range, wanted, startsInside, visit);
    for (const [id, summaries] of whole) if (!cut.has(id)) for (const summary of summaries) visit(id, summary);
    if (cut.size === 0) return undefined;
    const fetching = this.reader.fetch(this.sealed);
    const visitCut = (): void => this.visitCut(range, startsInside ? whole : undefined, cut, visit);
    if (fetching) return fetching.then(visitCut);
    visitCut();
    return undefined;
  }

  /**
   * Calls `visit` with the summary of each wanted series whose values never fall, and gives those whose samples have to be
   * looked at to know what a counter grew.
   */
  rising(wanted: ReadonlySet<number>, visit: VisitSummary): ReadonlySet<number> {
    const [only] = this.sealed;
    if (!only || this.sealed.length > 1 || this.heads.length > 0) return wanted;
    const others = new Set<number>();
    const look: VisitSummary = (id, summary, rises) => {
      if (rises) visit(id, summary);
      else others.add(id);
    };
    this.pieces.summaries(only, look, wanted);
    return others;
  }

  /** Summaries of the samples of the series that the range cuts through. */
  private visitCut(
    range: TimeRange,
    whole: ReadonlyMap<number, readonly Summary[]> | undefined,
    cut: ReadonlySet<number>,
    visit: VisitSummary,
  ): void {
    const columns = this.columns(cut);
    for (const id of cut) {
      const column = columns.get(id);
      if (!column) {
        // What should be there and is not has been found damaged just now.
        for (const summary of whole?.get(id) ?? []) visit(id, summary);
        continue;
      }
      const inside = sliceColumn(column, range.start - this.start, range.end - this.start);
      if (inside.times.length > 0) visit(id, summarizeColumn(inside, this.start));
    }
  }

  /**
   * The summaries of each series that pieces have, and the series whose samples have to be looked at. Summaries that are
   * all that is left go to `visit` at once.
   */
  private spans(
    range: TimeRange,
    wanted: ReadonlySet<number>,
    startsInside: boolean,
    visit: VisitSummary,
  ): { whole: Map<number, Summary[]>; cut: Set<number> } {
    const whole = new Map<number, Summary[]>();
    const cut = new Set<number>();
    const add = (id: number, summary: Readonly<Summary>): void => {
      const known = whole.get(id);
      if (known && known[known.length - 1].lastTime >= summary.firstTime) cut.add(id);
      if (known) known.push({ ...summary });
      else whole.set(id, [{ ...summary }]);
      if (summary.firstTime < range.start || summary.lastTime >= range.end) cut.add(id);
    };
    for (const piece of this.sealed) {
      if (piece.raw === 1) this.pieces.summaries(piece, add, wanted);
      else if (startsInside) this.pieces.summaries(piece, visit, wanted);
    }
    for (const head of this.heads) head.summaries(add, wanted, startsInside);
    return { whole, cut };
  }
}

/** Visits the hours of a device that hold anything within the range, in order of time, and yields in between. */
export async function forEachHour(
  deviceId: number,
  range: TimeRange,
  snapshot: HeadSnapshot,
  pieces: Pieces,
  reader: PieceReader,
  slices: Slices,
  visit: (hour: DeviceHour) => Promise<void> | void | undefined,
): Promise<void> {
  const heads = snapshot.get(deviceId) ?? [];
  const end = Math.ceil(range.end / HOUR);
  let next = Math.floor(range.start / HOUR);
  while (next < end) {
    const read = reader.page(deviceId, next, end);
    const page = read instanceof Promise ? await read : read;
    const hours = new Set(page.hours.keys());
    for (const { hour } of heads) if (hour >= next && hour < page.end) hours.add(hour);
    next = page.end;
    for (const hour of [...hours].sort((a, b) => a - b)) {
      const over = heads.length === 0 ? heads : heads.filter((head) => head.hour === hour);
      const pending = visit(new DeviceHour(hour, page.hours.get(hour) ?? [], over, pieces, reader));
      if (pending) await pending;
      if (slices.isOver()) await slices.next();
    }
  }
}
