import { setImmediate } from 'node:timers/promises';
import { EARLIEST_TIMESTAMP, MAX_AHEAD } from '@device-metrics/contract';
import { autoStep, type TimeRange } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import { selects } from '../../http/series-query.js';
import { summaryRange } from '../send-summary.js';
import { rangeOf, stepsOf, stepTables, type Steps } from '../steps.js';
import { unknownDevice } from '../unknown-device.js';
import { metricsOf, type Metric, type SeriesFigures } from './figures.js';
import { LocalTime } from './local-time.js';
import { markup, type Markup } from './markup.js';
import { chartFigure, metricTable, reportHead } from './report-parts.js';
import { PAGE_END, pageStart } from './page.js';
import type { PrintQuery } from './print-query.js';
import { MAX_LINES, svgChart, type ChartLine } from './svg-chart.js';

/** How many points a line has, about. */
const POINTS = 300;

/**
 * One page about one device: a table of its metrics, then a chart of each. It comes in pieces, and lets other work go
 * first between them.
 *
 * @param now Unix milliseconds.
 * @throws Problem when the device is unknown or parameters don't go together.
 */
export async function printReport(store: SampleStore, query: PrintQuery, now: number): Promise<AsyncIterable<string>> {
  const local = new LocalTime(query.timezone ?? 'UTC');
  const asked = summaryRange(query, now);
  const known = await store.findSeries({ deviceName: query.device });
  if (known.length === 0) throw unknownDevice(query.device);
  const selected = known.filter(selects(query.metric_name ? { metric_name: query.metric_name } : {}));
  const summaries = await store.summarize(selected, asked);
  const newest = summaries.reduce((latest, { summary }) => Math.max(latest, summary.lastTime), now);
  // Left open, the range reaches a little beyond now for clocks that are ahead; without such, it ends now.
  const range = { start: asked.start, end: query.end_time === undefined ? newest + 1 : asked.end };
  const charted = within(range, now);
  const rateSteps = charted && chartSteps(charted, ['rate'], local.timeZone);
  const metrics = rateSteps ? await metricsOf(store, summaries, rateSteps) : [];
  return pieces();

  async function* pieces(): AsyncGenerator<string> {
    yield pageStart(`${query.device}: metrics`).text;
    yield reportHead({ device: query.device, range, made: now, local, metrics, filter: query.metric_name }).text;
    if (charted && metrics.length > 0) {
      yield metricTable(metrics, local).text;
      yield markup`<h2>Charts</h2>\n`.text;
      for (const [index, metric] of metrics.entries()) {
        if (metric.isMoment) continue;
        await setImmediate();
        yield (await chartOf(store, metric, `m${index + 1}`, charted, local)).text;
      }
    }
    yield PAGE_END.text;
  }
}

/** The part of a range in which there can be samples; undefined where there is none. */
function within({ start, end }: TimeRange, now: number): TimeRange | undefined {
  const possible = { start: Math.max(start, EARLIEST_TIMESTAMP), end: Math.min(end, now + MAX_AHEAD + 1) };
  return possible.start < possible.end ? possible : undefined;
}

const chartSteps = (range: TimeRange, aggregation: string[], timezone: string): Steps =>
  stepsOf({ step: `${autoStep(range, POINTS)}ms`, aggregation, timezone }, range);

async function chartOf(
  store: SampleStore,
  metric: Metric,
  id: string,
  range: TimeRange,
  local: LocalTime,
): Promise<Markup> {
  const steps = chartSteps(range, metric.isCounter ? ['rate'] : ['mean', 'min', 'max'], local.timeZone);
  const largest = metric.series.filter(({ figures }) => figures !== undefined).slice(0, MAX_LINES);
  const shown: SeriesFigures[] = [];
  const lines: ChartLine[] = [];
  const wanted = largest.map(({ series }) => series);
  for await (const { series, timestamps, columns } of stepTables(store, wanted, steps)) {
    const [values = [], low, high] = columns;
    const times = Array.from(timestamps, (time) => time + steps.length / 2);
    lines.push({ times, values, ...(low && high && wanted.length === 1 && { band: { low, high } }) });
    shown.push(...largest.filter((one) => one.series.id === series.id));
  }
  const chart = svgChart({ id, title: metric.name, range: rangeOf(steps), local, unit: metric.unit, lines });
  return chartFigure({ id, metric, shown, chart });
}
