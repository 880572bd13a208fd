/**
 * The quantiles of all values together, each interpolated between the two values nearest to it: 0 is the smallest, 0.5
 * the median, 1 the largest. There must be a value.
 */
export function quantilesOf(pieces: readonly Float64Array[], quantiles: readonly number[]): number[] {
  if (quantiles.length === 0) return [];
  const sorted = join(pieces).sort();
  return quantiles.map((quantile) => interpolated(quantile, sorted.length, (rank) => sorted[rank] as number));
}

/**
 * The same of pieces that are sorted each, which need no memory beside them: sorting them can be spread over time, and
 * this takes less than a millisecond for a hundred.
 */
export function quantilesOfSorted(pieces: readonly Float64Array[], quantiles: readonly number[]): number[] {
  const [only] = pieces;
  if (only && pieces.length === 1) return quantiles.map((quantile) => quantileOfSorted(only, quantile));
  const count = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return quantiles.map((quantile) => interpolated(quantile, count, (rank) => valueAt(pieces, rank)));
}

/** A quantile of values that are sorted; there must be one. */
export function quantileOfSorted(values: Float64Array, quantile: number): number {
  const position = Math.min(1, Math.max(0, quantile)) * (values.length - 1);
  const rank = Math.floor(position);
  // -0 equals 0, and comes before it.
  return between((values[rank] as number) + 0, (values[rank + 1] as number) + 0, position - rank);
}

/** A piece that is made of others has at most so many values: joining them takes a tenth of a millisecond. */
const LARGEST_JOINED = 1 << 16;

/** Adds a sorted piece to others, and joins those of like size: few are left of very many small ones. */
export function addSorted(pieces: Float64Array[], piece: Float64Array): void {
  let joined = piece;
  for (let last = pieces.at(-1); last && last.length < 2 * joined.length; last = pieces.at(-1)) {
    if (last.length + joined.length > LARGEST_JOINED) break;
    joined = merged(last, joined);
    pieces.pop();
  }
  pieces.push(joined);
}

function merged(a: Float64Array, b: Float64Array): Float64Array {
  const all = new Float64Array(a.length + b.length);
  let [i, j] = [0, 0];
  for (let at = 0; at < all.length; at += 1) {
    const isFromA = j >= b.length || (i < a.length && (a[i] as number) <= (b[j] as number));
    all[at] = (isFromA ? a[i++] : b[j++]) as number;
  }
  return all;
}

/** A quantile of so many values, of which `valueOf` has the one of a rank, counted from 0 for the smallest. */
export function interpolated(quantile: number, count: number, valueOf: (rank: number) => number): number {
  const position = Math.min(1, Math.max(0, quantile)) * (count - 1);
  const rank = Math.floor(position);
  const weight = position - rank;
  return between(valueOf(rank), weight === 0 ? NaN : valueOf(rank + 1), weight);
}

/** Weights instead of a difference, which could overflow; and equal values stay what they are. */
const between = (below: number, above: number, weight: number): number =>
  weight === 0 || below === above ? below : below * (1 - weight) + above * weight;

/** The value of a rank, counted from 0, by halving the doubles there are until one is left. */
function valueAt(pieces: readonly Float64Array[], rank: number): number {
  let low = orderOf(-Infinity);
  let high = orderOf(Infinity);
  while (low < high) {
    const middle = (low + high) >> 1n;
    if (countUpTo(pieces, doubleOf(middle)) > rank) high = middle;
    else low = middle + 1n;
  }
  // -0 equals 0, and comes before it here.
  return doubleOf(low) + 0;
}

function countUpTo(pieces: readonly Float64Array[], value: number): number {
  let count = 0;
  for (const piece of pieces) {
    let from = 0;
    let to = piece.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((piece[middle] as number) <= value) from = middle + 1;
      else to = middle;
    }
    count += from;
  }
  return count;
}

const double = new Float64Array(1);
const bits = new BigInt64Array(double.buffer);

/** An integer for each double, in the order of the doubles. */
function orderOf(value: number): bigint {
  double[0] = value;
  const integer = bits[0] as bigint;
  return integer >= 0n ? integer : -(integer & 0x7fff_ffff_ffff_ffffn) - 1n;
}

function doubleOf(order: bigint): number {
  bits[0] = order >= 0n ? order : -(order + 1n) | -0x8000_0000_0000_0000n;
  return double[0] as number;
}

function join(pieces: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
