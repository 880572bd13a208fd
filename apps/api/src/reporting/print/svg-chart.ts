import type { TimeRange } from '@device-metrics/domain';
import type { LocalTime } from './local-time.js';
import { markup, type Markup } from './markup.js';
import { quantity, sizeFor, type Unit } from './quantity.js';
import { timeTicks, valueTicks, type Ticks } from './ticks.js';

export interface ChartLine {
  /** Unix milliseconds, ascending. */
  readonly times: ArrayLike<number>;
  /** One for each time; what is null or not finite is not drawn. */
  readonly values: ArrayLike<number | null>;
  /** The smallest and the largest of what each value is a mean of. */
  readonly band?: { readonly low: ArrayLike<number | null>; readonly high: ArrayLike<number | null> };
}

export interface Chart {
  /** Tells it apart from the others of its page. */
  readonly id: string;
  readonly title: string;
  readonly range: TimeRange;
  readonly local: LocalTime;
  readonly unit: Unit;
  /** How far the axis of values reaches at the least where all of them are at zero or above, see `leastTop`. */
  readonly least?: number;
  /** Drawn in the order of `lineStyle`. */
  readonly lines: readonly ChartLine[];
}

const WIDTH = 720;
const PLOT = { left: 54, right: WIDTH - 18, top: 16 };
/** Of the plot, pixels: of lines that never change there is less to see. */
const HEIGHT = { usual: 134, unchanged: 44 };
/** Below the plot, for the times. */
const BOTTOM = 20;

/** Lines are told apart by dashes too, for those who print or see no colours. `dark` is the colour on a dark screen. */
const LINE_STYLES = [
  { color: '#0b57a4', dark: '#6ea8fe', dashes: 'none' },
  { color: '#c2410c', dark: '#ff9f68', dashes: '7 3' },
  { color: '#15803d', dark: '#4ade80', dashes: '2 2' },
  { color: '#7e22ce', dark: '#c79bff', dashes: '9 3 2 3' },
  { color: '#92700a', dark: '#e0b84a', dashes: '4 4' },
  { color: '#0e7490', dark: '#4fd1e5', dashes: '14 4' },
  { color: '#be123c', dark: '#ff7a95', dashes: '9 3 2 3 2 3' },
  { color: '#3f6212', dark: '#a3d14f', dashes: '1 4' },
  { color: '#334155', dark: '#a9b6c9', dashes: '5 1' },
  { color: '#a21caf', dark: '#f08df5', dashes: '14 3 5 3' },
] as const;

/** The styles of the lines on a dark screen; they count over the colours that the lines themselves have. */
export const DARK_LINES = LINE_STYLES.map(
  ({ dark }, index) => `.l${index} { stroke: ${dark}; } .f${index} { fill: ${dark}; }`,
).join('\n  ');

/** So many lines can be told apart. */
export const MAX_LINES = LINE_STYLES.length;

/** A line chart over time; lines have gaps where their series has. */
export function svgChart({ id, title, range, local, unit, least = 0, lines }: Chart): Markup {
  const drawn = lines.map((line) => pointsOf(line, range));
  const all = drawn.flat();
  const low = all.reduce((low, point) => Math.min(low, point.low), Infinity);
  const high = all.reduce((high, point) => Math.max(high, point.high), -Infinity);
  const { divisor, symbol } = sizeFor(unit, all.length === 0 ? least : Math.max(Math.abs(low), Math.abs(high), least));
  const ticks = all.length === 0 ? valueTicks(0, 0) : valueTicks(low / divisor, high / divisor, least / divisor);
  const isUnchanged = drawn.every((points) =>
    points.every((point) => point.low === points[0]?.low && point.high === point.low),
  );
  const bottom = PLOT.top + (isUnchanged ? HEIGHT.unchanged : HEIGHT.usual);
  const at: Frame = {
    bottom,
    x: scale([range.start, range.end], [PLOT.left, PLOT.right]),
    y: scale([ends(ticks)[0] * divisor, ends(ticks)[1] * divisor], [bottom, PLOT.top]),
  };
  const span = `from ${local.dateAndTime(range.start)} to ${local.dateAndTime(range.end)} (${local.timeZone})`;
  const values = all.length === 0 ? 'no values' : `values between ${quantity(low, unit)} and ${quantity(high, unit)}`;
  return markup`<svg class="chart" viewBox="0 0 ${WIDTH} ${bottom + BOTTOM}" role="img" aria-labelledby="${id}-title ${id}-desc" xmlns="http://www.w3.org/2000/svg">
<title id="${id}-title">${title}</title>
<desc id="${id}-desc">Line chart ${span}; lines: ${lines.length}; ${values}.</desc>
${valueAxis(ticks, symbol, divisor, at)}${timeAxis(range, local, at)}${drawn.map((points, index) => lineMarkup(points, index, at))}</svg>
`;
}

/** A piece of a line for the legend. */
export const lineSample = (index: number): Markup =>
  markup`<svg class="sample" viewBox="0 0 40 8" aria-hidden="true"><path d="M0 4H40" ${stroke(index)}/></svg>`;

interface Point {
  readonly time: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

function pointsOf({ times, values, band }: ChartLine, { start, end }: TimeRange): Point[] {
  const points: Point[] = [];
  for (let index = 0; index < times.length; index += 1) {
    const time = times[index] as number;
    const value = drawable(values[index]);
    if (value === undefined || !(time >= start && time <= end)) continue;
    const low = Math.min(value, drawable(band?.low[index]) ?? value);
    const high = Math.max(value, drawable(band?.high[index]) ?? value);
    points.push({ time, value, low, high });
  }
  return points;
}

/** Far from where the differences of doubles overflow or vanish. */
function drawable(value: number | null | undefined): number | undefined {
  if (value === null || value === undefined || !Number.isFinite(value)) return undefined;
  return Math.abs(value) < 1e-280 ? 0 : Math.max(-1e280, Math.min(1e280, value));
}

/** The parts of a line between its gaps: where two points are more than twice as far apart as they usually are. */
function unbroken(points: readonly Point[]): Point[][] {
  const distances = points.slice(1).map(({ time }, index) => time - (points[index] as Point).time);
  const usual = distances.toSorted((a, b) => a - b)[Math.floor(distances.length / 2)] ?? 0;
  const parts: Point[][] = [];
  points.forEach((point, index) => {
    if (index === 0 || (distances[index - 1] as number) > 2 * usual) parts.push([]);
    parts.at(-1)?.push(point);
  });
  return parts;
}

interface Frame {
  /** Of the plot. */
  readonly bottom: number;
  readonly x: (time: number) => number;
  readonly y: (value: number) => number;
}

const scale =
  ([from, to]: readonly [number, number], [first, last]: readonly [number, number]) =>
  (value: number): number =>
    rounded(first + ((value - from) / (to - from)) * (last - first));

/** To a tenth of a pixel. */
const rounded = (pixels: number): number => Math.round(pixels * 10) / 10;

const ends = ({ values }: Ticks): [number, number] => [values[0] as number, values.at(-1) as number];

const stroke = (index: number): Markup => {
  const { color, dashes } = LINE_STYLES[index % MAX_LINES] as (typeof LINE_STYLES)[number];
  return markup`fill="none" stroke="${color}" stroke-width="1.4" stroke-linejoin="round" stroke-dasharray="${dashes}" class="l${index % MAX_LINES}"`;
};

function lineMarkup(points: readonly Point[], index: number, at: Frame): Markup {
  const { color } = LINE_STYLES[index % MAX_LINES] as (typeof LINE_STYLES)[number];
  const parts = unbroken(points);
  const bands = parts
    .filter((part) => part.length > 1 && part.some(({ low, high }) => low < high))
    .map((part) => {
      const outline = [...path(part, at, 'high'), ...path(part.toReversed(), at, 'low')];
      return markup`<path d="M${outline.join('L')}Z" fill="${color}" fill-opacity="0.16" class="f${index % MAX_LINES}"/>\n`;
    });
  const lines = parts.filter((part) => part.length > 1).map((part) => `M${path(part, at, 'value').join('L')}`);
  const dots = parts
    .filter((part) => part.length === 1)
    .map(([point]) => {
      const { time, value } = point as Point;
      return markup`<circle cx="${at.x(time)}" cy="${at.y(value)}" r="1.8" fill="${color}" class="f${index % MAX_LINES}"/>\n`;
    });
  return markup`${bands}${lines.length > 0 ? markup`<path d="${lines.join('')}" ${stroke(index)}/>\n` : ''}${dots}`;
}

const path = (points: readonly Point[], at: Frame, key: 'value' | 'low' | 'high'): string[] =>
  points.map((point) => `${at.x(point.time)} ${at.y(point[key])}`);

function valueAxis({ values, labels }: Ticks, symbol: string, divisor: number, at: Frame): Markup {
  const lines = values.map((value, index) => {
    const y = at.y(value * divisor);
    const isLabelled = at.bottom - PLOT.top > HEIGHT.unchanged || index % (values.length - 1) === 0;
    const isBase = index === 0;
    return markup`<path d="M${PLOT.left} ${y}H${PLOT.right}" class="${isBase ? 'axis' : 'grid'}"/><text x="${PLOT.left - 6}" y="${rounded(y + 3.5)}" text-anchor="end">${isLabelled ? (labels[index] ?? '') : ''}</text>\n`;
  });
  return markup`<text x="${PLOT.left - 6}" y="${PLOT.top - 7}" text-anchor="end" class="symbol">${symbol}</text>\n${lines}`;
}

function timeAxis(range: TimeRange, local: LocalTime, at: Frame): Markup {
  const ticks = timeTicks(range, local).map(({ time, label }, index) => {
    const x = at.x(time);
    return markup`<path d="M${x} ${PLOT.top}V${at.bottom}" class="grid"/><path d="M${x} ${at.bottom}v4" class="axis"/><text x="${x}" y="${at.bottom + 5}" dy="0.95em" text-anchor="middle" class="${index % 2 === 0 ? 'even' : 'odd'}">${label}</text>\n`;
  });
  return markup`${ticks}`;
}
