import { autoStep, type TimeRange } from '@device-metrics/domain';
import { divide, NO_LIMIT, plan, rangeOf, read } from '@device-metrics/query';
import type { SampleStore } from '@device-metrics/storage';
import { LocalTime } from '../../reporting/print/local-time.js';
import { unitOf } from '../../reporting/print/quantity.js';
import { svgChart, type ChartLine } from '../../reporting/print/svg-chart.js';
import type { NoticeItem } from './tell.js';

const POINTS = 200;
/** The report has these in its page; a picture has to bring them. */
const STYLE =
  '<style>text{font:11px sans-serif;fill:#444}.grid{stroke:#ddd;fill:none}.axis{stroke:#888;fill:none}</style>' +
  '<rect width="100%" height="100%" fill="#fff"/>';

/** A small chart of the series of an alert with its level, as SVG; undefined where it is of no series, or has no data. */
export async function alertChart(
  store: SampleStore,
  { subject, level, rule }: NoticeItem,
  range: TimeRange,
  timeZone: string,
): Promise<string | undefined> {
  const { device, metric, labels = {}, unit = null } = subject;
  if (metric === undefined) return undefined;
  const found = await store.findSeries({ devices: [device], metrics: [metric], labels: Object.entries(labels) });
  const series = found.filter((one) => Object.keys(one.labels).length === Object.keys(labels).length);
  const steps = divide({ step: `${autoStep(range, POINTS)}ms`, aggregation: ['mean'], timezone: timeZone }, range);
  const lines: ChartLine[] = [];
  for await (const table of read(store, await plan(store, { series, range, steps }, NO_LIMIT))) {
    lines.push({ times: table.timestamps, values: table.columns[0] ?? [] });
  }
  if (lines.length === 0) return undefined;
  const whole = rangeOf(steps);
  if (level !== null) lines.push({ times: [whole.start, whole.end], values: [level, level] });
  const local = new LocalTime(timeZone);
  const chart = svgChart({ id: 'alert', title: `${rule}: ${device}`, range: whole, local, unit: unitOf(unit), lines });
  return chart.text.replace('>', `>${STYLE}`);
}
