import type { Summary, TimeRange } from '@device-metrics/domain';
import type { EncodedPiece, PieceCursor } from './piece.js';
import type { Column } from './column.js';
import type { Later } from './later.js';
import type { PartSums } from './part-sums.js';

/** Where a piece stands: a device and an hour have at most one chunk, and parts that came after it, in their order. */
export interface PieceKey {
  /** Device and hour, as `chunkId` makes them. */
  readonly id: number;
  /** 0 for the chunk; the parts count from 1. */
  readonly part: number;
}

/** A piece without its samples. */
export interface StoredPiece extends PieceKey {
  /** The last journal row whose samples of this device and hour are in it. */
  readonly sealedThrough: number;
  readonly stats: Uint8Array;
  /** Whether its samples are there, 0 or 1; the raw retention drops them. */
  readonly raw: number;
  /** Its samples as they are stored, where they had to be fetched and have been. */
  data?: Uint8Array | undefined;
}

/** A chunk or a part that is to be written. */
export interface PieceWrite {
  readonly id: number;
  readonly sealedThrough: number;
  /** A chunk takes the place of the one that was there and of all parts; a part comes behind those that are there. */
  readonly kind: 'chunk' | 'part';
  /** What a chunk takes the place of. */
  readonly under: readonly StoredPiece[];
  /** Undefined where what is there has all of it; then only the parts go. */
  readonly piece: EncodedPiece | undefined;
  /** Series, time and value of the latest samples that are in the hour. */
  readonly latest: readonly (readonly [seriesId: number, time: number, value: number])[];
}

/** The hours of a device that have pieces, and their pieces in order: the chunk first. It ends before hour `end`. */
export interface PiecePage {
  readonly hours: ReadonlyMap<number, readonly StoredPiece[] | LatePieces>;
  readonly end: number;
}

/**
 * The pieces of an hour that may be others by the time somebody looks at it, such as parts that become a chunk: they are
 * read then, with their samples at hand.
 */
export interface LatePieces {
  /** What they have together, where that is known without them. */
  readonly sums?: PartSums;
  /** Those that are there by now: what was there before is in them. */
  read(): readonly StoredPiece[];
}

/** Reads pieces for one query. */
export interface PieceReader {
  /** What a device has from hour `from` on, up to hour `to` or an earlier one; devices come in the order that was said. */
  page(deviceId: number, from: number, to: number): Later<PiecePage>;
  /** Fetches the samples of pieces that are not at hand; undefined where all are. */
  fetch(pieces: readonly StoredPiece[]): Promise<void> | undefined;
}

/**
 * What it gets may be the same object each time: it copies what it keeps. `rises`: no value is below the one before it; false or
 * left out where that is not known.
 */
export type VisitSummary = (seriesId: number, summary: Readonly<Summary>, rises?: boolean) => void;

/**
 * The sealed samples of all devices and hours. What is damaged is set aside on first sight: damaged stats are made anew
 * from the samples, damaged samples leave the stats.
 */
export interface Pieces {
  /** Reads what devices have within a range; of which hours the samples are wanted, others are fetched where need be. */
  reader(
    deviceIds: readonly number[],
    range: TimeRange,
    wantsSamples: 'of all hours' | 'of hours that it cuts',
  ): PieceReader;

  /** The chunk of a device and hour, if there is one, and then its parts in their order, with their samples at hand. */
  at(deviceId: number, hour: number): Later<StoredPiece[]>;

  /** Whether a device and hour has parts. */
  hasParts(id: number): boolean;

  /** Those of some devices and hours that have a chunk or parts. */
  sealedOf(ids: readonly number[]): Later<ReadonlySet<number>>;

  /** All devices and hours that have parts, and since when, Unix milliseconds. */
  withParts(): Iterable<{ readonly id: number; readonly since: number }>;

  /** The last hour, from `from` to before `to`, of which a device has a chunk without samples. */
  lastBareHour(deviceId: number, from: number, to: number): Later<number | undefined>;

  /** Whether the chunk of a device and hour is to be left as it is, so that what comes for it stays in parts. */
  isClosed(id: number): boolean;

  /** The samples of a piece by series id, only those that are wanted; none when they were dropped or are damaged. */
  columns(piece: StoredPiece, wanted?: { has(seriesId: number): boolean }): Map<number, Column>;

  /** The same of all series, one after the other; undefined where `columns` gives none. What it gives throws where it cannot be decoded. */
  cursor(piece: StoredPiece): PieceCursor | undefined;

  /**
   * Calls `visit` for each series of a piece, by id, or only for those that are wanted. The summary is the same object each
   * time.
   */
  summaries(piece: StoredPiece, visit: VisitSummary, wanted?: { has(seriesId: number): boolean }): void;

  /** Leaves the chunk of a device and hour as it is, from now on; `damage` is why it can be neither read nor replaced. */
  close(id: number, damage?: unknown): void;
}
