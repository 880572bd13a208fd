import { autoStep, type Series, type TimeRange } from '@device-metrics/domain';
import { divide, NO_LIMIT, plan, rangeOf, read, type SeriesTable, type Steps } from '@device-metrics/query';
import type { SampleStore } from '@device-metrics/storage';
import type { Metric, SeriesFigures } from './figures.js';
import type { LocalTime } from './local-time.js';
import { markup, type Markup } from './markup.js';
import { chartFigure } from './report-parts.js';
import { MAX_LINES, svgChart } from './svg-chart.js';

/** How many points a line has, about. */
const POINTS = 300;

export const chartSteps = (range: TimeRange, aggregation: string[], { timeZone }: LocalTime): Steps =>
  divide({ step: `${autoStep(range, POINTS)}ms`, aggregation, timezone: timeZone }, range);

/** A heading, and a chart of each metric. All series are read in one pass, since the hours of a device are packed together. */
export async function* charts(
  store: SampleStore,
  metrics: readonly Metric[],
  range: TimeRange,
  local: LocalTime,
): AsyncGenerator<Markup> {
  const drawn = metrics
    .map((metric, index) => ({ metric, id: `m${index + 1}`, largest: largestOf(metric) }))
    .filter(({ metric }) => !metric.isMoment);
  const tablesOf = async (isCounter: boolean, steps: Steps): Promise<TableQueue> => {
    const wanted = drawn.filter(({ metric }) => metric.isCounter === isCounter).flatMap(({ largest }) => largest);
    const series = wanted.map((one) => one.series);
    return new TableQueue(read(store, await plan(store, { series, range, steps }, NO_LIMIT)));
  };
  const steps = chartSteps(range, ['mean', 'min', 'max'], local);
  const gauges = await tablesOf(false, steps);
  const counters = await tablesOf(true, chartSteps(range, ['rate'], local));

  if (drawn.length > 0) yield markup`<h2>Charts</h2>\n`;
  for (const { metric, id, largest } of drawn) {
    const tables = await (metric.isCounter ? counters : gauges).take(largest.map(({ series }) => series));
    const lines = tables.map(({ timestamps, columns: [values = [], low, high] }) => ({
      times: Array.from(timestamps, (time) => time + steps.length / 2),
      values,
      ...(low && high && tables.length === 1 && { band: { low, high } }),
    }));
    const withLines = new Set(tables.map(({ series }) => series.id));
    const shown = largest.filter(({ series }) => withLines.has(series.id));
    const chart = svgChart({ id, title: metric.name, range: rangeOf(steps), local, unit: metric.unit, lines });
    yield chartFigure({ id, metric, shown, chart });
  }
}

const largestOf = ({ series }: Metric): SeriesFigures[] =>
  series.filter(({ figures }) => figures !== undefined).slice(0, MAX_LINES);

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
