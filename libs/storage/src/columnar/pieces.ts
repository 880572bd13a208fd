import type { Summary } from '@device-metrics/domain';
import type { EncodedPiece } from './piece.js';
import type { Column } from './column.js';

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
}

export type VisitSummary = (seriesId: number, summary: Readonly<Summary>) => void;

/**
 * The sealed samples of all devices and hours. What is damaged is set aside on first sight: damaged stats are made anew
 * from the samples, damaged samples leave the stats.
 */
export interface Pieces {
  /** At most `limit` chunks of a device from hour `from` to before hour `to`, in order of time. */
  chunks(deviceId: number, from: number, to: number, limit: number): StoredPiece[];

  /** The chunk of a device and hour, if there is one, and then its parts in their order. */
  at(deviceId: number, hour: number): StoredPiece[];

  /** The parts of a device and hour in their order. */
  parts(deviceId: number, hour: number): StoredPiece[];

  /** The hours of a device that have parts. */
  hoursWithParts(deviceId: number): Iterable<number>;

  /** All devices and hours that have parts, and since when, Unix milliseconds. */
  withParts(): Iterable<{ readonly id: number; readonly since: number }>;

  /** The last hour, from `from` to before `to`, of which a device has a chunk without samples. */
  lastBareHour(deviceId: number, from: number, to: number): number | undefined;

  /** Whether the chunk of a device and hour is to be left as it is, so that what comes for it stays in parts. */
  isClosed(id: number): boolean;

  /** The samples of a piece by series id, only those that are wanted; none when they were dropped or are damaged. */
  columns(piece: PieceKey, wanted?: { has(seriesId: number): boolean }): Map<number, Column>;

  /** Calls `visit` for each series of a piece, by id. The summary is the same object each time. */
  summaries(piece: StoredPiece, visit: VisitSummary): void;

  /** Writes a chunk in place of the one that was there and of all parts. */
  putChunk(id: number, sealedThrough: number, chunk: EncodedPiece): void;

  /** Adds a part behind those that are there. */
  addPart(id: number, sealedThrough: number, part: EncodedPiece, now: number): void;

  /** Deletes all parts of a device and hour. */
  deleteParts(id: number): void;

  /** Leaves the chunk of a device and hour as it is, from now on; `damage` is why it can be neither read nor replaced. */
  close(id: number, damage?: unknown): void;
}
