import type { Slices, Summary, TimeRange } from '@device-metrics/domain';
import { copyOfSummary, HOUR, includeSummary } from '@device-metrics/domain';
import { joinColumns, sliceColumn, summarizeColumn, type Column } from './column.js';
import type { Head } from './head.js';
import { firstOfHour, type HeadSnapshot } from './heads.js';
import type { PartSums } from './part-sums.js';
import type { LatePieces, PiecePage, PieceReader, Pieces, StoredPiece, VisitSummary } from './pieces.js';
import type { Wanted } from './wanted.js';

/** All that the store has of one device and hour: a chunk, parts over it, heads over these. */
export class DeviceHour {
  /** Unix milliseconds. */
  readonly start: number;
  private readonly sums: PartSums | undefined;
  private read: readonly StoredPiece[] | undefined;

  constructor(
    readonly hour: number,
    private readonly stored: readonly StoredPiece[] | LatePieces,
    private readonly heads: readonly Head[],
    private readonly pieces: Pieces,
    private readonly reader: PieceReader,
  ) {
    this.start = hour * HOUR;
    this.sums = 'read' in stored ? stored.sums : undefined;
  }

  /** In their order: the later ones win. */
  private get sealed(): readonly StoredPiece[] {
    return (this.read ??= 'read' in this.stored ? this.stored.read() : this.stored);
  }

  /** Whether its samples were dropped, so that only their summaries remain. */
  get hasOnlyStats(): boolean {
    return !this.sums && this.heads.length === 0 && this.sealed.every(({ raw }) => raw === 0);
  }

  /** Calls `act` once the samples are at hand; gives a promise where they have to be fetched. */
  withSamples(act: () => void): Promise<void> | undefined {
    const fetching = this.reader.fetch(this.sealed);
    if (fetching) return fetching.then(act);
    act();
    return undefined;
  }

  /**
   * The samples of the series that are wanted, by id, once they are at hand: those of heads over those of parts over those of
   * the chunk. Of pieces that have none of them within the range, where one is said, nothing is read.
   */
  columns(wanted: Wanted, range?: TimeRange): Map<number, Column> {
    const found = new Map<number, Column>();
    const several = new Map<number, Column[]>();
    const add = (id: number, column: Column): void => {
      const known = found.get(id);
      const all = several.get(id);
      if (!known) found.set(id, column);
      else if (all) all.push(column);
      else several.set(id, [known, column]);
    };
    const cut = !range || (this.start >= range.start && this.start + HOUR <= range.end) ? undefined : range;
    for (const piece of this.sealed) {
      if (piece.raw !== 1 || (cut && !this.reaches(piece, wanted, cut))) continue;
      for (const [id, column] of this.pieces.columns(piece, wanted)) add(id, column);
    }
    for (const head of this.heads) head.columns(add, wanted);
    for (const [id, columns] of several) found.set(id, joinColumns(columns));
    return found;
  }

  /** Whether a piece has samples of wanted series within a range, as its summaries say. */
  private reaches(piece: StoredPiece, wanted: Wanted, range: TimeRange): boolean {
    let found = false;
    this.pieces.summaries(
      piece,
      (_id, { firstTime, lastTime }) => (found ||= firstTime < range.end && lastTime >= range.start),
      wanted,
    );
    return found;
  }

  /**
   * Calls `visit` with summaries of the wanted series within the range; more than once for one series where several
   * pieces have samples of it. Samples are read only where the range cuts through those of a series, or pieces overlap in
   * time. An hour of which only stats remain counts as a whole if its start is in the range.
   *
   * @returns a promise where samples have to be fetched.
   */
  summaries(range: TimeRange, wanted: Wanted, visit: VisitSummary): Promise<void> | undefined {
    const startsInside = this.start >= range.start && this.start < range.end;
    const { sums } = this;
    // What is sealed meanwhile may overlap.
    if (sums && !sums.overlap && this.heads.length < 2 && sums.firstTime >= range.start && sums.lastTime < range.end) {
      return this.withSums(sums, range, wanted, visit);
    }
    const [only] = this.sealed;
    if (only && this.sealed.length === 1 && this.heads.length === 0 && startsInside && this.start + HOUR <= range.end) {
      this.pieces.summaries(only, visit, wanted);
      return undefined;
    }
    if (this.sealed.length === 0 && this.heads.length === 1) {
      const [head] = this.heads;
      head.summaries(visit, wanted, true, range);
      return undefined;
    }
    const { spans, cut } = this.spans(range, wanted, startsInside, visit);
    const overlapping = new Set<number>();
    for (const [id, { summary, overlaps }] of spans) {
      if (overlaps) overlapping.add(id);
      else if (summary) visit(id, summary);
    }
    if (overlapping.size === 0 && cut.size === 0) return undefined;
    const fetching = this.reader.fetch(this.sealed);
    const visitRest = (): void => {
      if (overlapping.size > 0) {
        const columns = this.columns(overlapping, range);
        for (const id of overlapping) {
          const [column, summary] = [columns.get(id), spans.get(id)?.summary];
          if (column) this.visitInside(id, column, range, visit);
          // What should be there and is not has been found damaged just now.
          else if (summary) visit(id, summary);
          for (const of of cut.values()) if (column || !startsInside) of.delete(id);
        }
      }
      for (const [source, summaries] of cut) this.visitCut(source, range, startsInside, summaries, visit);
    };
    if (fetching) return fetching.then(visitRest);
    visitRest();
    return undefined;
  }

  /** The same where all that is sealed lies in the range, and is known. */
  private withSums(sums: PartSums, range: TimeRange, wanted: Wanted, visit: VisitSummary): Promise<void> | undefined {
    let others: Set<number> | undefined;
    const [head] = this.heads;
    if (head) {
      const visitBehind: VisitSummary = (id, summary) => {
        if (summary.firstTime > sums.lastTimeOf(id)) visit(id, summary);
        else (others ??= new Set()).add(id);
      };
      head.summaries(visitBehind, wanted, true, range);
    }
    if (!others) {
      sums.visit(visit, wanted);
      return undefined;
    }
    const overlapping = others;
    sums.visit((id, summary) => void (overlapping.has(id) || visit(id, summary)), wanted);
    const visitOthers = (): void => {
      for (const [id, column] of this.columns(overlapping, range)) this.visitInside(id, column, range, visit);
    };
    const fetching = this.reader.fetch(this.sealed);
    if (fetching) return fetching.then(visitOthers);
    visitOthers();
    return undefined;
  }

  /**
   * Calls `visit` with the summary of each wanted series whose values never fall, and gives those whose samples have to be
   * looked at to know what a counter grew.
   */
  rising(wanted: Wanted, visit: VisitSummary): Wanted {
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

  /** Summaries of those samples of a piece or head that are within the range, of series that it cuts through there. */
  private visitCut(
    source: StoredPiece | Head,
    range: TimeRange,
    startsInside: boolean,
    summaries: ReadonlyMap<number, Summary>,
    visit: VisitSummary,
  ): void {
    if (summaries.size === 0) return;
    const columns = 'stats' in source ? this.pieces.columns(source, summaries) : columnsOfHead(source, summaries);
    for (const [id, summary] of summaries) {
      const column = columns.get(id);
      if (column) this.visitInside(id, column, range, visit);
      else if (startsInside) visit(id, summary);
    }
  }

  private visitInside(id: number, column: Column, range: TimeRange, visit: VisitSummary): void {
    const inside = sliceColumn(column, range.start - this.start, range.end - this.start);
    if (inside.times.length > 0) visit(id, summarizeColumn(inside, this.start));
  }

  /**
   * What pieces and heads have of each series within the range, and of each of them the series whose samples the range cuts
   * through. Summaries that are all that is left go to `visit` at once.
   */
  private spans(
    range: TimeRange,
    wanted: Wanted,
    startsInside: boolean,
    visit: VisitSummary,
  ): { spans: Map<number, Span>; cut: Map<StoredPiece | Head, Map<number, Summary>> } {
    const spans = new Map<number, Span>();
    const cut = new Map<StoredPiece | Head, Map<number, Summary>>();
    let source: StoredPiece | Head;
    const add = (id: number, summary: Readonly<Summary>): void => {
      if (summary.lastTime < range.start || summary.firstTime >= range.end) return;
      let span = spans.get(id);
      if (!span) spans.set(id, (span = new Span()));
      span.add(summary);
      if (summary.firstTime >= range.start && summary.lastTime < range.end) return span.include(summary);
      const ofSource = cut.get(source);
      if (ofSource) ofSource.set(id, copyOfSummary(summary));
      else cut.set(source, new Map([[id, copyOfSummary(summary)]]));
    };
    for (const piece of this.sealed) {
      source = piece;
      if (piece.raw === 1) this.pieces.summaries(piece, add, wanted);
      else if (startsInside) this.pieces.summaries(piece, visit, wanted);
    }
    for (const head of this.heads) {
      source = head;
      head.summaries(add, wanted, startsInside);
    }
    return { spans, cut };
  }
}

/** What pieces and heads have of a series within a range. */
class Span {
  /** Of what lies within the range as a whole. */
  summary: Summary | undefined;
  /** Whether samples of one piece may stand between, or for, those of an earlier one. */
  overlaps = false;
  private end = -Infinity;

  add({ firstTime, lastTime }: Readonly<Summary>): void {
    if (this.end >= firstTime) this.overlaps = true;
    if (lastTime > this.end) this.end = lastTime;
  }

  include(summary: Readonly<Summary>): void {
    if (this.summary) includeSummary(this.summary, summary);
    else this.summary = copyOfSummary(summary);
  }
}

function columnsOfHead(head: Head, wanted: ReadonlyMap<number, unknown>): Map<number, Column> {
  const found = new Map<number, Column>();
  head.columns((id, column) => void found.set(id, column), new Set(wanted.keys()));
  return found;
}

/**
 * Visits the hours of devices that hold anything within the range, device after device and in order of time, and yields in between. What
 * it makes for each device of a fleet is a good part of the garbage of a summary: the fewer, the better.
 *
 * @param visit also gets the place of the device.
 */
export async function forEachHour(
  deviceIds: readonly number[],
  range: TimeRange,
  snapshot: HeadSnapshot,
  pieces: Pieces,
  reader: PieceReader,
  slices: Slices,
  visit: (hour: DeviceHour, place: number) => Promise<void> | undefined,
): Promise<void> {
  const end = Math.ceil(range.end / HOUR);
  for (let place = 0; place < deviceIds.length; place += 1) {
    const deviceId = deviceIds[place];
    const heads = snapshot.get(deviceId) ?? NO_HEADS;
    let next = Math.floor(range.start / HOUR);
    let from = firstOfHour(heads, next);
    while (next < end) {
      const read = reader.page(deviceId, next, end);
      const page = read instanceof Promise ? await read : read;
      const hours = hoursIn(page, heads, from);
      next = page.end;
      for (const hour of hours) {
        let to = from;
        while (heads[to]?.hour === hour) to += 1;
        // Mostly that is all of them.
        const over = to - from === heads.length ? heads : heads.slice(from, to);
        from = to;
        const pending = visit(new DeviceHour(hour, page.hours.get(hour) ?? NO_PIECES, over, pieces, reader), place);
        if (pending) await pending;
        if (slices.isOver()) await slices.next();
      }
      if (slices.isOver()) await slices.next();
    }
  }
}

const NO_HEADS: readonly Head[] = [];
const NO_PIECES: readonly StoredPiece[] = [];

/** The hours of a page that have pieces or heads, in order of time; `from` is where its heads begin. */
function hoursIn({ hours, end }: PiecePage, heads: readonly Head[], from: number): number[] {
  const found = [...hours.keys()];
  for (let at = from; at < heads.length && heads[at].hour < end; at += 1) {
    if (!hours.has(heads[at].hour)) found.push(heads[at].hour);
  }
  if (found.length < 2) return found;
  found.sort((a, b) => a - b);
  // One that is being sealed has another head beside it.
  return found.filter((hour, at) => hour !== found[at - 1]);
}
