import { memo } from 'react';

const WIDTH = 72;
const HEIGHT = 22;

/** The last hour of a figure as a small line; what it says stands beside it, so readers of screens skip it. */
export const Spark = memo(function Spark({ values, ratio }: { values: readonly (number | null)[]; ratio: boolean }) {
  return (
    <svg className="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} width={WIDTH} height={HEIGHT} aria-hidden="true">
      <path d={sparkPath(values, ratio)} />
    </svg>
  );
});

/** An SVG path; a gap in the values is one in the line. A share goes from 0 to 1, other values over their own range. */
function sparkPath(values: readonly (number | null)[], ratio: boolean): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return '';
  const low = ratio ? 0 : Math.min(...known);
  const high = ratio ? Math.max(1, ...known) : Math.max(...known);
  const span = high - low || 1;
  const x = (index: number): string => ((index / Math.max(1, values.length - 1)) * (WIDTH - 4) + 2).toFixed(1);
  const y = (value: number): string => {
    const share = high === low && !ratio ? 0.5 : (value - low) / span;
    return (HEIGHT - 2 - share * (HEIGHT - 4)).toFixed(1);
  };
  let path = '';
  values.forEach((value, index) => {
    if (value === null) return;
    const starts = index === 0 || values[index - 1] === null;
    path += `${starts ? 'M' : 'L'}${x(index)} ${y(value)}`;
    // A point that stands alone.
    if (starts && (index === values.length - 1 || values[index + 1] === null)) path += 'h0.01';
  });
  return path;
}
