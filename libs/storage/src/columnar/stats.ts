import { emptySummary, type Summary } from '@device-metrics/domain';
import { ByteReader, ByteWriter } from './codec/bytes.js';
import { FRAME_HEADER, openFrame, type FrameKey } from './codec/frame.js';
import { NOT_DECIMAL, powerOf, scaledOf } from './codec/values.js';

/**
 * The summaries of all series of a chunk or part, kept apart from its samples. A frame under the key of the row and the
 * last journal row in it; for each series, by id:
 *
 *     id − previous id    varint
 *     flags               the low 3 bits: decimal digits of the values, 7: they are doubles; 8: the times and the count
 *                         are those of the series before; 16: all values are the same; 32: none is below the one before
 *                         it (older versions neither write nor look at that)
 *     count, first time, last time − first time           varints, ms since the hour began; not with flag 8
 *     first, last − first, min − first, max − first, sum  scaled integers as zigzag varints, or doubles; with flag 16
 *                                                         only first and sum
 */
const DOUBLES = 7;
const SAME_TIMES = 8;
const CONSTANT = 16;
const RISES = 32;

export class StatsWriter {
  private readonly writer = new ByteWriter();
  private lastId = 0;
  private count = 0;
  private firstTime = 0;
  private lastTime = 0;

  constructor(private readonly hourStart: number) {
    this.writer.length = FRAME_HEADER;
  }

  /**
   * Adds a series, whose id is greater than those before; the digits are of its values. The sum of decimals is a
   * decimal, so that rounding it takes away what adding up doubles has added.
   *
   * @param rises whether no value is below the one before it; false where that is not known.
   */
  add(seriesId: number, summary: Readonly<Summary>, digits: number, rises: boolean): void {
    const { count, first, last, min, max } = summary;
    const firstTime = summary.firstTime - this.hourStart;
    const lastTime = summary.lastTime - this.hourStart;
    const scaled = scaledSummary(summary, digits);
    const sameTimes = count === this.count && firstTime === this.firstTime && lastTime === this.lastTime;
    const constant = Object.is(min, max) && Object.is(first, min) && Object.is(last, min);

    const { writer } = this;
    writer.varint(seriesId - this.lastId);
    writer.byte(
      (scaled ? digits : DOUBLES) |
        (sameTimes ? SAME_TIMES : 0) |
        (constant ? CONSTANT : 0) |
        (rises && !constant ? RISES : 0),
    );
    if (!sameTimes) {
      writer.varint(count);
      writer.varint(firstTime);
      writer.varint(lastTime - firstTime);
    }
    if (scaled) {
      writer.signed(scaled.first);
      if (!constant) {
        writer.signed(scaled.last - scaled.first);
        writer.signed(scaled.min - scaled.first);
        writer.signed(scaled.max - scaled.first);
      }
      writer.signed(scaled.sum);
    } else {
      for (const value of constant ? [first, summary.sum] : [first, last, min, max, summary.sum]) writer.float64(value);
    }
    this.lastId = seriesId;
    this.count = count;
    this.firstTime = firstTime;
    this.lastTime = lastTime;
  }

  /** A frame that is still to be sealed. */
  finish(): Uint8Array {
    return this.writer.written().slice();
  }
}

interface ScaledSummary {
  readonly first: number;
  readonly last: number;
  readonly min: number;
  readonly max: number;
  readonly sum: number;
}

/** Undefined where an integer would not give back the exact double, or not fit. */
function scaledSummary(summary: Readonly<Summary>, digits: number): ScaledSummary | undefined {
  if (digits === NOT_DECIMAL) return undefined;
  const first = scaledOf(summary.first, digits);
  const last = scaledOf(summary.last, digits);
  const min = scaledOf(summary.min, digits);
  const max = scaledOf(summary.max, digits);
  const power = powerOf(digits);
  const sum = scaledOf(Math.round(summary.sum * power) / power, digits);
  if (first === undefined || last === undefined || min === undefined) return undefined;
  if (max === undefined || sum === undefined) return undefined;
  return { first, last, min, max, sum };
}

/**
 * Calls `visit` for each series of a chunk, by id, or only for those that are wanted, also with whether its values are known never
 * to fall. The summary is the same object each time.
 *
 * @throws DamagedError
 */
export function readStats(
  stats: Uint8Array,
  key: FrameKey,
  hourStart: number,
  visit: (seriesId: number, summary: Readonly<Summary>, rises: boolean) => void,
  wanted?: { has(seriesId: number): boolean },
): void {
  const reader = new ByteReader(openFrame(stats, key));
  const summary = emptySummary();
  let id = 0;
  while (!reader.ended) {
    id += reader.varint();
    const flags = reader.byte();
    if ((flags & SAME_TIMES) === 0) {
      summary.count = reader.varint();
      summary.firstTime = hourStart + reader.varint();
      summary.lastTime = summary.firstTime + reader.varint();
    }
    const digits = flags & 7;
    const constant = (flags & CONSTANT) !== 0;
    if (wanted && !wanted.has(id)) {
      const numbers = constant ? 2 : 5;
      if (digits === DOUBLES) reader.skip(8 * numbers);
      else reader.skipVarints(numbers);
      continue;
    }
    if (digits === DOUBLES) readDoubles(reader, constant, summary);
    else readScaled(reader, constant, powerOf(digits), summary);
    visit(id, summary, constant || (flags & RISES) !== 0);
  }
}

function readDoubles(reader: ByteReader, constant: boolean, summary: Summary): void {
  summary.first = reader.float64();
  summary.last = constant ? summary.first : reader.float64();
  summary.min = constant ? summary.first : reader.float64();
  summary.max = constant ? summary.first : reader.float64();
  summary.sum = reader.float64();
}

function readScaled(reader: ByteReader, constant: boolean, power: number, summary: Summary): void {
  const first = reader.signed();
  summary.first = first / power;
  summary.last = constant ? summary.first : (first + reader.signed()) / power;
  summary.min = constant ? summary.first : (first + reader.signed()) / power;
  summary.max = constant ? summary.first : (first + reader.signed()) / power;
  summary.sum = reader.signed() / power;
}
