import type { Series, TimeRange } from '@device-metrics/domain';
import type { Figures, Metric, SeriesFigures } from './figures.js';
import type { LocalTime } from './local-time.js';
import { markup, type Markup } from './markup.js';
import { count, counted, quantity, type Unit } from './quantity.js';
import { lineSample } from './svg-chart.js';

interface Head {
  readonly device: string;
  readonly range: TimeRange;
  /** Unix milliseconds. */
  readonly made: number;
  readonly local: LocalTime;
  readonly metrics: readonly Metric[];
  /** Names and patterns that the metrics were asked for by. */
  readonly filter: readonly string[] | undefined;
}

export function reportHead({ device, range, made, local, metrics, filter }: Head): Markup {
  const series = metrics.reduce((sum, metric) => sum + metric.series.length, 0);
  const samples = metrics.reduce((sum, metric) => sum + metric.count, 0);
  return markup`<h1>${device}</h1>
${facts([
  ['From', local.dateAndTime(range.start)],
  ['To', local.dateAndTime(range.end)],
  ['Times are in', local.timeZone],
  ...(filter ? [['Metrics asked for', filter.join(', ')] as const] : []),
  ['Contents', `${counted(metrics.length, 'metric')}, ${count(series)} series, ${counted(samples, 'sample')}`],
  ['Made', local.dateAndTime(made)],
])}${metrics.length === 0 ? markup`<p>There are no samples of this device in this time${filter ? ' and of these metrics' : ''}.</p>\n` : ''}`;
}

export const facts = (pairs: readonly (readonly [name: string, value: string])[]): Markup =>
  markup`<dl>${pairs.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>\n`;

/** A row for each metric; its name leads to its chart. */
export function metricTable(metrics: readonly Metric[], local: LocalTime): Markup {
  const rows = metrics.map(
    (metric, index) => markup`<tr>
<th scope="row">${metric.isMoment ? breakable(metric.name) : markup`<a href="#m${index + 1}">${breakable(metric.name)}</a>`}</th>
<td class="number">${count(metric.series.length)}</td><td class="number">${count(metric.count)}</td>${metric.isMoment ? momentCells(metric, local) : numberCells(metric.figures, metric.unit)}
<td class="time">${local.dayAndMonth(metric.lastTime)} ${local.clock(metric.lastTime, false)}</td>
</tr>
`,
  );
  return markup`<h2>Summary</h2>
<table class="summary">
<thead><tr><th scope="col">Metric</th><th scope="col" class="number">Series</th><th scope="col" class="number">Samples</th>${NUMBER_HEADS}<th scope="col" class="time">Last at</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
${metrics.some(({ isCounter }) => isCounter) ? COUNTER_NOTE : ''}`;
}

const COUNTER_NOTE = markup`<p class="note">Counters, which only ever grow, are shown by how fast they grew.</p>\n`;

const NUMBER_HEADS = markup`${['Min', 'Mean', 'Max', 'Last'].map((name) => markup`<th scope="col" class="number">${name}</th>`)}`;

const numberCells = (figures: Figures | undefined, unit: Unit): Markup =>
  markup`${(['min', 'mean', 'max', 'last'] as const).map(
    (name) => markup`<td class="number">${figures ? quantity(figures[name], unit) : '–'}</td>`,
  )}`;

const momentCells = ({ figures }: Metric, local: LocalTime): Markup => {
  const last = (figures?.last ?? NaN) * 1000;
  return markup`<td colspan="4" class="number">${local.date(last)} ${local.clock(last, false)}</td>`;
};

/** A name that may go on in the next line after each of its parts. */
const breakable = (name: string): Markup => {
  const [first = '', ...others] = name.split(/(?<=[._:/-])/);
  return markup`${first}${others.map((part) => markup`<wbr>${part}`)}`;
};

interface ChartParts {
  readonly id: string;
  readonly metric: Metric;
  /** The series of the lines, in their order. */
  readonly shown: readonly SeriesFigures[];
  readonly chart: Markup;
}

export function chartFigure({ id, metric, shown, chart }: ChartParts): Markup {
  const rest = metric.series.length - shown.length;
  const left =
    shown.length > 0 && rest > 0
      ? `The ${shown.length} of ${count(metric.series.length)} series with the largest mean; ${count(rest)} are left out.`
      : '';
  return markup`<figure id="${id}">
<figcaption><h3>${breakable(metric.name)}</h3><span class="note">${noteOf(metric)}</span></figcaption>
${shown.length === 0 ? NO_RATE : chart}${legend(shown, metric.unit)}${left === '' ? '' : markup`<p class="note">${left}</p>\n`}</figure>
`;
}

const NO_RATE = markup`<p>How fast this counter grew takes two samples in this time; there is one, or only hourly values are left.</p>\n`;

function noteOf({ help, isCounter, series }: Metric): string {
  const common = Object.entries(commonLabels(series.map((one) => one.series)));
  const labels = common.map(([name, value]) => `${name}=${value}`).join(', ');
  return [help?.replace(/\.$/, ''), isCounter && 'growth per second', labels].filter(Boolean).join(' · ');
}

/** A row for each line: a column for each label that tells them apart. Of one line, its figures stand in the summary. */
function legend(shown: readonly SeriesFigures[], unit: Unit): Markup {
  if (shown.length < 2) return markup``;
  const series = shown.map((one) => one.series);
  const common = commonLabels(series);
  const differing = [...new Set(series.flatMap(({ labels }) => Object.keys(labels)))].filter(
    (name) => !Object.hasOwn(common, name),
  );
  const inColumns = differing.length <= MAX_LABEL_COLUMNS;
  const heads = inColumns ? differing : ['labels'];
  const rows = shown.map(({ series: { labels }, figures }, index) => {
    const texts = differing.map((name) => (inColumns ? (labels[name] ?? '') : `${name}=${labels[name] ?? ''}`));
    const cells = inColumns ? texts : [texts.join(', ')];
    return markup`<tr><td>${lineSample(index)}</td>${cells.map((text) => markup`<th scope="row">${text}</th>`)}${numberCells(figures, unit)}</tr>\n`;
  });
  return markup`<table class="legend">
<thead><tr><td></td>${heads.map((name) => markup`<th scope="col">${name}</th>`)}${NUMBER_HEADS}</tr></thead>
<tbody>
${rows}</tbody>
</table>
`;
}

/** More labels than this share one column. */
const MAX_LABEL_COLUMNS = 4;

/** Labels that all of the series have with the same value. */
function commonLabels(series: readonly Series[]): Record<string, string> {
  const [first, ...others] = series;
  const common = Object.entries(first?.labels ?? {}).filter(([name, value]) =>
    others.every(({ labels }) => labels[name] === value),
  );
  return Object.fromEntries(common);
}
