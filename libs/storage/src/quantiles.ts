/**
 * The quantiles of all values together, each interpolated between the two values nearest to it: 0 is the smallest, 0.5
 * the median, 1 the largest.
 */
export function quantilesOf(pieces: readonly Float64Array[], quantiles: readonly number[]): number[] {
  if (quantiles.length === 0) return [];
  const sorted = join(pieces).sort();
  return quantiles.map((quantile) => {
    const position = Math.min(1, Math.max(0, quantile)) * (sorted.length - 1);
    const below = sorted[Math.floor(position)];
    const above = sorted[Math.ceil(position)];
    // Weights instead of a difference, which could overflow.
    const weight = position - Math.floor(position);
    return weight === 0 ? below : below * (1 - weight) + above * weight;
  });
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
