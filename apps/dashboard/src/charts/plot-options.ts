import uPlot from 'uplot';
import type { AlertMarks } from '../data/alert-marks.js';
import type { ChartData } from '../data/chart-data.js';
import type { Zone } from '../time-window.js';
import type { Formatter } from '../units.js';
import { BINARY_STEPS, timeTicks, valueRange, valueTicks } from './axes.js';
import { markEpisodes, markLevels, withLevels } from './alert-marks.js';
import { BEFORE, currentColours, dashOf, faded, QUIET } from './colours.js';

/** How a chart is drawn, its data aside. */
export interface PlotLook {
  readonly show: 'lines' | 'stack';
  readonly format: Formatter;
  readonly unit: string | undefined;
  /** The value axis goes from 0 to 1. */
  readonly whole: boolean;
  readonly zone: Zone;
  /** Charts of one key share their cursor. */
  readonly sync: string;
}

/** What a chart tells and asks while it is drawn. */
export interface PlotHooks {
  /** The ends of the time axis, ms. */
  readonly bounds: () => { start: number; end: number };
  readonly hourlyUntil: () => number | undefined;
  /** Levels and episodes of alerts. */
  readonly marks: () => AlertMarks;
  /** Index of the time at the cursor; null where it has left. */
  readonly onCursor: (index: number | null) => void;
  /** A stretch was dragged over. */
  readonly onZoom: ((start: number, end: number) => void) | undefined;
}

/** More bands than this hide each other. */
const MAX_BANDS = 4;

/** The columns of uPlot: the times, then for each line its values, and where it has a band the band's edges. */
export function plotColumns(data: ChartData, look: PlotLook, hidden: ReadonlySet<string>): uPlot.AlignedData {
  const columns: (readonly (number | null | undefined)[])[] = [data.times];
  if (look.show === 'stack') {
    columns.push(...stackUp(data.lines.filter(({ key }) => !hidden.has(key)).map(({ values }) => values)));
  } else {
    for (const line of shownLines(data, hidden)) {
      columns.push(line.values);
      if (line.min && line.max) columns.push(line.min, line.max);
    }
  }
  return columns as uPlot.AlignedData;
}

/** The lines that are drawn, in the order of the columns; those that have no band here have no `min` and `max`. */
function shownLines(
  { lines }: ChartData,
  hidden: ReadonlySet<string>,
): (ChartData['lines'][number] & { index: number })[] {
  const shown = lines.map((line, index) => ({ ...line, index })).filter(({ key }) => !hidden.has(key));
  const banded = shown.filter(({ min }) => min).length <= MAX_BANDS;
  return banded ? shown : shown.map(({ min: _min, max: _max, ...line }) => line);
}

/** Each layer on top of those before. */
function stackUp(layers: readonly ChartData['lines'][number]['values'][]): (number | null | undefined)[][] {
  const tops: (number | null | undefined)[][] = [];
  for (const layer of layers) {
    const below = tops.at(-1);
    tops.push(layer.map((value, index) => (typeof value === 'number' ? value + (below?.[index] ?? 0) : value)));
  }
  return tops;
}

/** The options of uPlot for what is drawn now. */
export function plotOptions(
  data: ChartData,
  look: PlotLook,
  hidden: ReadonlySet<string>,
  size: { width: number; height: number },
  hooks: PlotHooks,
): uPlot.Options {
  const colours = currentColours();
  const stack = look.show === 'stack';
  const { series, bands } = stack ? layers(data, hidden, colours) : lines(data, hidden, colours);
  const axis = {
    stroke: colours.soft,
    grid: { stroke: faded(colours.line, 0.8), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  const fromZero = stack || /^By|\/s$|^\{/.test(look.unit ?? '');
  return {
    ...size,
    ms: 1,
    legend: { show: false },
    padding: [8, 8, 0, 0],
    cursor: {
      // Of a chart that is zoomed only that chart tells.
      sync: {
        key: look.sync,
        setSeries: false,
        filters: { pub: (type) => type.startsWith('mousemove') || type === 'mouseleave' },
      },
      drag: { x: hooks.onZoom !== undefined, y: false, dist: 5 },
      points: { size: pointSize(6), width: pointSize(1.5) },
    },
    ...(look.zone === 'UTC' && { tzDate: (time: number) => uPlot.tzDate(new Date(time), 'Etc/UTC') }),
    scales: {
      x: {
        time: true,
        range: () => {
          const { start, end } = hooks.bounds();
          return [start, end];
        },
      },
      y: { range: (_plot, low, high) => withLevels(valueRange(low, high, fromZero, look.whole), hooks.marks()) },
    },
    axes: [
      {
        ...axis,
        space: 64,
        size: 34,
        values: (_plot, ticks, _axis, _space, distance) => timeTicks(ticks, distance, look.zone),
      },
      {
        ...axis,
        space: 28,
        size: (_plot, labels) => Math.max(34, ...(labels ?? []).map((label) => label.length * 6.4 + 12)),
        values: valueTicks(look.format),
        ...(/^([KMGTP]i)?By$/.test(look.unit ?? '') && { incrs: BINARY_STEPS }),
      },
    ],
    series: [{}, ...series],
    bands,
    hooks: {
      setCursor: [(plot) => hooks.onCursor(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          if (plot.select.width < 5) return;
          const start = plot.posToVal(plot.select.left, 'x');
          const end = plot.posToVal(plot.select.left + plot.select.width, 'x');
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          hooks.onZoom?.(start, end);
        },
      ],
      drawClear: [
        (plot) => markHourly(plot, hooks.hourlyUntil(), colours),
        (plot) => markEpisodes(plot, hooks.marks(), colours),
      ],
      draw: [(plot) => markLevels(plot, hooks.marks(), look.format, colours)],
    },
  };
}

type Colours = ReturnType<typeof currentColours>;
type Parts = { series: uPlot.Series[]; bands: uPlot.Band[] };

function lines(data: ChartData, hidden: ReadonlySet<string>, colours: Colours): Parts {
  const series: uPlot.Series[] = [];
  const bands: uPlot.Band[] = [];
  for (const line of shownLines(data, hidden)) {
    const stroke = colours.of(line.colourOf ?? line.index);
    const dash = line.colourOf === undefined ? dashOf(line.index) : BEFORE;
    series.push({ stroke, width: line.total ? 2 : 1.4, dash, points: { size: 4, show: isLonely } });
    if (!line.min || !line.max) continue;
    // An edge of a band is not drawn itself.
    const edge: uPlot.Series = { width: 0, points: { show: false } };
    series.push(edge, edge);
    bands.push({ series: [series.length, series.length - 1], fill: faded(stroke, 0.16) });
  }
  return { series, bands };
}

function layers(data: ChartData, hidden: ReadonlySet<string>, colours: Colours): Parts {
  const shown = data.lines.map((line, index) => ({ line, index })).filter(({ line }) => !hidden.has(line.key));
  return {
    series: shown.map(({ line, index }, place) => {
      const stroke = colours.of(line.quiet ? QUIET : index);
      const fill = faded(stroke, line.quiet ? 0.14 : 0.55);
      return { stroke, width: 1, points: { show: false }, ...(place === 0 && { fill }) };
    }),
    bands: shown.slice(1).map(({ line, index }, place) => ({
      series: [place + 2, place + 1],
      fill: line.quiet ? faded(colours.of(QUIET), 0.14) : faded(colours.of(index), 0.55),
    })),
  };
}

/** Of the points at the cursor; the edges of a band have none. */
const pointSize =
  (size: number) =>
  (plot: uPlot, series: number): number =>
    plot.series[series]?.width === 0 ? 0 : size;

/** Points are drawn where a value has none beside it, which no line would show. */
function isLonely(plot: uPlot, series: number): boolean {
  const values = plot.data[series] ?? [];
  const known = values.filter((value) => typeof value === 'number').length;
  return known > 0 && known <= 2;
}

/** A wash behind the time of which only hourly values are left. */
function markHourly(plot: uPlot, until: number | undefined, colours: Colours): void {
  if (until === undefined) return;
  const { ctx, bbox } = plot;
  const right = Math.min(bbox.left + bbox.width, plot.valToPos(until, 'x', true));
  if (right <= bbox.left) return;
  ctx.save();
  ctx.fillStyle = faded(colours.soft, 0.07);
  ctx.fillRect(bbox.left, bbox.top, right - bbox.left, bbox.height);
  ctx.fillStyle = colours.soft;
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textBaseline = 'top';
  if (right - bbox.left > 90 * devicePixelRatio) {
    ctx.fillText('hourly values', bbox.left + 6 * devicePixelRatio, bbox.top + 4 * devicePixelRatio);
  }
  ctx.restore();
}
