import { autoStep, type Series, type TimeRange } from '@device-metrics/domain';
import {
  divide,
  NO_LIMIT,
  plan,
  rangeOf,
  read,
  type Figures,
  type SeriesTable,
  type Steps,
} from '@device-metrics/query';
import type { SampleStore } from '@device-metrics/storage';
import type { Line, Metric } from './figures.js';
import type { LocalTime } from './local-time.js';
import { markup, type Markup } from './markup.js';
import { leastTop } from './quantity.js';
import { figureOf, hasFigure, idOf } from './report-parts.js';
import { MAX_LINES, svgChart, type ChartLine } from './svg-chart.js';

/** How many points a line has, about. */
const POINTS = 300;

const chartSteps = (range: TimeRange, aggregation: string[], { timeZone }: LocalTime): Steps =>
  divide({ step: `${autoStep(range, POINTS)}ms`, aggregation, timezone: timeZone }, range);

/**
 * A heading, and what there is to see of each metric: a chart where it changes, else what each of its things is. All series are
 * read in one pass, since the hours of a device are packed together.
 */
export async function* charts(
  store: SampleStore,
  metrics: readonly Metric[],
  range: TimeRange,
  local: LocalTime,
): AsyncGenerator<Markup> {
  const shown = metrics
    .map((metric, index) => ({ metric, id: idOf(index), lines: metric.lines.slice(0, MAX_LINES) }))
    .filter(({ metric }) => hasFigure(metric));
  const tablesOf = async (isRate: boolean, steps: Steps): Promise<TableQueue> => {
    const wanted = shown.filter(({ metric }) => metric.changes && metric.isRate === isRate);
    const series = wanted.flatMap(({ lines }) => lines.flatMap((line) => line.series ?? []));
    return new TableQueue(read(store, await plan(store, { series, range, steps }, NO_LIMIT)));
  };
  const steps = chartSteps(range, ['mean', 'min', 'max'], local);
  const gauges = await tablesOf(false, steps);
  const counters = await tablesOf(true, chartSteps(range, ['rate'], local));

  if (shown.length > 0) yield markup`<h2>Details</h2>\n`;
  for (const { metric, id, lines } of shown) {
    if (!metric.changes) {
      yield figureOf({ id, metric, lines, chart: undefined });
      continue;
    }
    const tables = await (metric.isRate ? counters : gauges).take(lines.flatMap((line) => line.series ?? []));
    const bySeries = new Map(tables.map((table) => [table.series.id, table]));
    const drawn = lines.flatMap((line) => {
      const drawn = chartLine(line, bySeries, steps.length, lines.length === 1);
      return drawn ? [{ line: { ...line, figures: line.figures ?? figuresOf(drawn.values) }, drawn }] : [];
    });
    const { name: title, lineUnit: unit } = metric;
    const least = leastTop(metric.lineUcum, metric.isRate);
    const chart = svgChart({
      id,
      title,
      range: rangeOf(steps),
      local,
      unit,
      least,
      lines: drawn.map((one) => one.drawn),
    });
    yield figureOf({ id, metric, lines: drawn.map(({ line }) => line), chart });
  }
}

function chartLine(
  { series, points }: Line,
  tables: ReadonlyMap<number, SeriesTable>,
  step: number,
  isAlone: boolean,
): ChartLine | undefined {
  if (points) return points;
  const table = series && tables.get(series.id);
  if (!table) return undefined;
  const [values = [], low, high] = table.columns;
  return {
    times: Array.from(table.timestamps, (time) => time + step / 2),
    values,
    ...(low && high && isAlone && { band: { low, high } }),
  };
}

/** Of what is drawn; undefined when there is nothing. */
function figuresOf(drawn: ArrayLike<number | null>): Figures | undefined {
  const values = Array.from(drawn).filter((value) => value !== null);
  const last = values.at(-1);
  if (last === undefined) return undefined;
  const [min, max] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  return { min, mean: values.reduce((a, b) => a + b) / values.length, max, last, weight: values.length };
}

/** Tables that come in the order of their series. */
class TableQueue {
  private next: IteratorResult<SeriesTable> | undefined;

  constructor(private readonly tables: AsyncIterator<SeriesTable>) {}

  /** The tables of the series that come next; one that has no samples has none. */
  async take(series: readonly Series[]): Promise<SeriesTable[]> {
    const wanted = new Set(series.map(({ id }) => id));
    const taken: SeriesTable[] = [];
    for (;;) {
      this.next ??= await this.tables.next();
      if (this.next.done || !wanted.has(this.next.value.series.id)) return taken;
      taken.push(this.next.value);
      this.next = undefined;
    }
  }
}
