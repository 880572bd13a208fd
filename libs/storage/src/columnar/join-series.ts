import { DamagedError } from './codec/frame.js';
import { followEachOther, joinTimes, mergeColumns, sameTimes, type Column, type SeriesPart } from './column.js';

/** The series of a piece or of a head by id, one after the other: it begins before the first one. */
export interface SeriesSource {
  /** Of the series at which it stands; Infinity behind the last one. */
  readonly id: number;
  /** Of its samples, milliseconds since the hour began. They stay as they are; series may share them. */
  readonly times: Uint32Array;
  /** Goes on to the next series; false behind the last one. */
  next(): boolean;
  /** Puts the values of the series into memory that has room for them from index `from` on; only once. */
  readValuesInto(values: Float64Array, from: number): void;
}

/** Series that are at hand, such as those of a head. */
export class PartSource implements SeriesSource {
  id = 0;
  times: Uint32Array = new Uint32Array();
  private readonly parts: Iterator<Readonly<SeriesPart>>;
  private part: Readonly<SeriesPart> | undefined;

  /** @param parts by id; each holds until the next one is asked for, but its times hold as long as this is looked at. */
  constructor(parts: Iterable<Readonly<SeriesPart>>) {
    this.parts = parts[Symbol.iterator]();
  }

  next(): boolean {
    const next = this.parts.next();
    this.part = next.done ? undefined : next.value;
    this.id = this.part?.seriesId ?? Infinity;
    if (this.part) this.times = this.part.column.times.subarray(this.part.from, this.part.to);
    return this.part !== undefined;
  }

  readValuesInto(values: Float64Array, from: number): void {
    if (this.part) values.set(this.part.column.values.subarray(this.part.from, this.part.to), from);
  }
}

/**
 * All series of the sources, by id; where they share a time, the later source wins. What it gives is the same object each time, and its
 * values hold until the next one is asked for.
 *
 * @param sources each at its first series.
 * @throws whatever a source throws; DamagedError where one has a series twice.
 */
export function* joinSeries(sources: readonly SeriesSource[]): Generator<Readonly<SeriesPart>> {
  const joiner = new Joiner();
  const here: SeriesSource[] = [];
  const part: SeriesPart = { seriesId: 0, column: joiner.column, from: 0, to: 0 };
  for (;;) {
    let id = Infinity;
    for (const source of sources) if (source.id < id) id = source.id;
    if (id === Infinity) return;
    here.length = 0;
    for (const source of sources) if (source.id === id) here.push(source);
    part.seriesId = id;
    part.column = joiner.join(here);
    part.to = part.column.times.length;
    for (const source of here) if (source.next() && source.id <= id) throw new DamagedError(`series ${id} comes twice`);
    yield part;
  }
}

/** Joins what sources have of one series after the other. The values are in the same memory each time. */
class Joiner {
  column: Column = { times: new Uint32Array(), values: new Float64Array() };
  /** The times that were joined last. */
  private joined: Uint32Array[] = [];

  join(sources: readonly SeriesSource[]): Column {
    if (!this.hasSameTimes(sources)) {
      if (!followEachOther(sources)) return sources.map(ownColumn).reduce(mergeColumns);
      this.joined = sources.map(({ times }) => times);
      const times = joinTimes(this.joined);
      const { values } = this.column;
      this.column = { times, values: values.length < times.length ? new Float64Array(times.length) : values };
    }
    let at = 0;
    for (const source of sources) {
      source.readValuesInto(this.column.values, at);
      at += source.times.length;
    }
    return this.column;
  }

  private hasSameTimes(sources: readonly SeriesSource[]): boolean {
    const { joined } = this;
    if (joined.length !== sources.length) return false;
    for (let at = 0; at < joined.length; at += 1) if (!sameTimes(joined[at], sources[at].times)) return false;
    return true;
  }
}

function ownColumn(source: SeriesSource): Column {
  const { times } = source;
  const values = new Float64Array(times.length);
  source.readValuesInto(values, 0);
  return { times, values };
}
