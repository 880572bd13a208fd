import { HOUR, convert, includeSummary, type Conversion, type Slices, type Summary } from '@device-metrics/domain';
import { NOT_DECIMAL } from './codec/values.js';
import { joinColumns, type Column } from './column.js';
import { PieceEncoder, type EncodedPiece } from './piece.js';
import type { Pieces, StoredPiece } from './pieces.js';
import { StatsWriter } from './stats.js';

/** Where the samples of a series go, and what makes its values those of that series. */
export interface SeriesTarget {
  readonly id: number;
  readonly conversion: Pick<Conversion, 'factor' | 'offset'>;
}

/** What of an hour two devices have together: a chunk, and over it a part where the chunk can only be of summaries. */
export interface MergedHour {
  readonly chunk: EncodedPiece | undefined;
  readonly part: EncodedPiece | undefined;
}

/** By series id. */
interface HourContent {
  readonly columns: Map<number, Column>;
  /** Of what has lost its samples. */
  readonly summaries: Map<number, Summary>;
}

/** Puts the hour of one device under that of another; the samples of `target` win. Series without a target are left out. */
export async function mergeHour(
  hour: number,
  source: readonly StoredPiece[],
  target: readonly StoredPiece[],
  targets: ReadonlyMap<number, SeriesTarget>,
  pieces: Pieces,
  slices: Slices,
): Promise<MergedHour> {
  const under = moved(contentOf(source, pieces), targets);
  const over = contentOf(target, pieces);
  for (const [id, column] of over.columns) {
    const before = under.columns.get(id);
    under.columns.set(id, before ? joinColumns([before, column]) : column);
  }
  for (const [id, summary] of over.summaries) addSummary(under.summaries, id, summary);
  const samples = under.columns.size > 0 ? await encode(hour, under.columns, slices) : undefined;
  if (under.summaries.size === 0) return { chunk: samples, part: undefined };
  return { chunk: summariesOnly(hour, under.summaries), part: samples };
}

function contentOf(sealed: readonly StoredPiece[], pieces: Pieces): HourContent {
  const found = new Map<number, Column[]>();
  const summaries = new Map<number, Summary>();
  for (const piece of sealed) {
    const columns = piece.raw === 1 ? pieces.columns(piece) : new Map<number, Column>();
    for (const [id, column] of columns) found.set(id, [...(found.get(id) ?? []), column]);
    if (columns.size === 0) pieces.summaries(piece, (id, summary) => addSummary(summaries, id, summary));
  }
  return { columns: new Map(Array.from(found, ([id, columns]) => [id, joinColumns(columns)])), summaries };
}

function moved({ columns, summaries }: HourContent, targets: ReadonlyMap<number, SeriesTarget>): HourContent {
  const content: HourContent = { columns: new Map(), summaries: new Map() };
  for (const [from, { id, conversion }] of targets) {
    const column = columns.get(from);
    if (column) content.columns.set(id, convertedColumn(column, conversion));
    const summary = summaries.get(from);
    if (summary) content.summaries.set(id, convertedSummary(summary, conversion));
  }
  return content;
}

const convertedColumn = ({ times, values }: Column, conversion: SeriesTarget['conversion']): Column => ({
  times,
  values: isNone(conversion) ? values : values.map((value) => convert(value, conversion)),
});

function convertedSummary(summary: Summary, conversion: SeriesTarget['conversion']): Summary {
  if (isNone(conversion)) return summary;
  const { count, min, max, first, last, sum } = summary;
  const { factor, offset } = conversion;
  return {
    ...summary,
    min: convert(min, conversion),
    max: convert(max, conversion),
    first: convert(first, conversion),
    last: convert(last, conversion),
    sum: convert(sum, { factor, offset: offset * count }),
  };
}

const isNone = ({ factor, offset }: SeriesTarget['conversion']): boolean => factor === 1 && offset === 0;

function addSummary(summaries: Map<number, Summary>, id: number, summary: Readonly<Summary>): void {
  const known = summaries.get(id);
  if (known) includeSummary(known, summary);
  else summaries.set(id, { ...summary });
}

async function encode(hour: number, columns: ReadonlyMap<number, Column>, slices: Slices): Promise<EncodedPiece> {
  const encoder = new PieceEncoder();
  encoder.begin(hour);
  for (const [id, column] of inOrder(columns)) {
    encoder.add(id, column);
    if (slices.isOver()) await slices.next();
  }
  return encoder.finish();
}

function summariesOnly(hour: number, summaries: ReadonlyMap<number, Summary>): EncodedPiece {
  const writer = new StatsWriter(hour * HOUR);
  let firstTime = Infinity;
  for (const [id, summary] of inOrder(summaries)) {
    writer.add(id, summary, NOT_DECIMAL, false);
    firstTime = Math.min(firstTime, summary.firstTime);
  }
  return { stats: writer.finish(), data: null, firstTime };
}

const inOrder = <T>(series: ReadonlyMap<number, T>): [number, T][] => [...series].sort(([a], [b]) => a - b);
