import type { TimeRange } from '@device-metrics/domain';
import type { Figures } from '@device-metrics/query';
import type { AvailabilityRowDto } from '../availability/availability.dto.js';
import type { AboutDevice } from './about-device.js';
import { commonLabels } from './common-labels.js';
import type { Line, Metric } from './figures.js';
import type { Glance } from './glance.js';
import type { LocalTime } from './local-time.js';
import { markup, type Markup } from './markup.js';
import { count, counted, quantity, unitOf, type Unit } from './quantity.js';
import { lineSample } from './svg-chart.js';

interface Head {
  readonly about: AboutDevice;
  readonly range: TimeRange;
  /** Unix milliseconds. */
  readonly made: number;
  readonly local: LocalTime;
  readonly metrics: readonly Metric[];
  /** Names and patterns that the metrics were asked for by. */
  readonly filter: readonly string[] | undefined;
}

export function reportHead({ about, range, made, local, metrics, filter }: Head): Markup {
  const { device, status, availability } = about;
  const series = metrics.reduce((sum, metric) => sum + metric.seriesCount, 0);
  const samples = metrics.reduce((sum, metric) => sum + metric.count, 0);
  const tags = Object.entries(device.tags).map(([name, value]) => `${name}=${value}`);
  return markup`<h1>${device.displayName ?? device.name}</h1>
${facts([
  ...(device.displayName === null ? [] : [['Device', device.name] as const]),
  ['Status', markup`<span class="${status}">${status}</span>, last heard of ${local.dateAndTime(device.lastTime)}`],
  ...(availability ? [['Availability', availabilityText(availability)] as const] : []),
  ...(tags.length > 0 ? [['Tags', tags.join(', ')] as const] : []),
  ...(device.notes === null ? [] : [['Notes', linesOf(device.notes)] as const]),
  ['From', local.dateAndTime(range.start)],
  ['To', local.dateAndTime(range.end)],
  ['Times are in', local.timeZone],
  ...(filter ? [['Metrics asked for', filter.join(', ')] as const] : []),
  ['Contents', `${counted(metrics.length, 'metric')}, ${count(series)} series, ${counted(samples, 'sample')}`],
  ['Made', local.dateAndTime(made)],
])}${metrics.length === 0 ? markup`<p>There are no samples of this device in this time${filter ? ' and of these metrics' : ''}.</p>\n` : ''}`;
}

const linesOf = (text: string): Markup => {
  const [first = '', ...others] = text.split(/\r\n|[\r\n]/);
  return markup`${first}${others.map((line) => markup`<br>${line}`)}`;
};

/** A percentage that is not 100 never looks so. */
function availabilityText({ percent, silences, silent }: AvailabilityRowDto): string {
  const shown = silent > 0 ? Math.min(percent, 99.9999) : percent;
  const text = `${String(Number(shown.toFixed(shown > 99 ? 4 : 2)))}\u00A0%`;
  if (silences === 0) return `${text}, never silent`;
  return `${text}, ${counted(silences, 'silence')} of ${quantity(silent / 1000, unitOf('s'))} in all`;
}

export const facts = (pairs: readonly (readonly [name: string, value: string | Markup])[]): Markup =>
  markup`<dl>${pairs.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>\n`;

/** How busy and how full a PC is; nothing of other devices. */
export function glanceTable(rows: readonly Glance[]): Markup {
  if (rows.length === 0) return markup``;
  const share = unitOf('1');
  return markup`<h2>At a glance</h2>
<table class="glance">
<thead><tr><td></td>${['Mean', 'Max', 'Last'].map((name) => markup`<th scope="col" class="number">${name}</th>`)}<td class="wide"></td></tr></thead>
<tbody>
${rows.map(
  ({ what, figures: { mean, max, last } }) =>
    markup`<tr><th scope="row">${what}</th>${[mean, max, last].map(
      (value) => markup`<td class="number">${quantity(value, share)}</td>`,
    )}<td class="wide">${bar(last)}</td></tr>\n`,
)}</tbody>
</table>
`;
}

const bar = (share: number): Markup =>
  markup`<svg class="bar" viewBox="0 0 100 9" preserveAspectRatio="none" aria-hidden="true"><rect class="whole" width="100" height="9"/><rect class="part" width="${Math.round(Math.max(0, Math.min(1, share)) * 1000) / 10}" height="9"/></svg>`;

export const idOf = (index: number): string => `m${index + 1}`;

/** Whether there is more to see of a metric than its row in the table. */
export const hasFigure = ({ changes, isMoment, lines }: Metric): boolean => !isMoment && (changes || lines.length > 1);

/** A row for each metric, piece by piece; its name leads to its figure. */
export function* metricTable(metrics: readonly Metric[], local: LocalTime): Generator<Markup> {
  yield markup`<h2>Summary</h2>
<table class="summary">
<thead><tr><th scope="col">Metric</th><th scope="col" class="number extra">Series</th><th scope="col" class="number extra">Samples</th>${NUMBER_HEADS}<th scope="col" class="time extra">Last at</th></tr></thead>
<tbody>
`;
  for (const [index, metric] of metrics.entries()) {
    yield markup`<tr>
<th scope="row">${hasFigure(metric) ? markup`<a href="#${idOf(index)}">${breakable(metric.name)}</a>` : breakable(metric.name)}${meaning(metric)}</th>
<td class="number extra">${count(metric.seriesCount)}</td><td class="number extra">${count(metric.count)}</td>${figureCells(metric, local)}
<td class="time extra">${local.dayAndMonth(metric.lastTime)} ${local.clock(metric.lastTime, false)}</td>
</tr>
`;
  }
  yield markup`</tbody>
</table>
${metrics.some(({ isRate }) => isRate) ? COUNTER_NOTE : ''}${metrics.every(hasFigure) ? '' : UNCHANGED_NOTE}`;
}

const COUNTER_NOTE = markup`<p class="note">Counters, which only ever grow, are shown by how fast they grew; – where there are not two samples to tell.</p>\n`;

const UNCHANGED_NOTE = markup`<p class="note">A metric whose name leads nowhere did not change in this time.</p>\n`;

/** What the figures are, where they are not the values themselves. */
const meaning = ({ as, shareOf }: Metric): Markup =>
  as === 'share'
    ? markup` <span class="note">share of ${shareOf}</span>`
    : as === 'sum'
      ? markup` <span class="note">in all</span>`
      : markup``;

const NUMBER_HEADS = markup`${['Min', 'Mean', 'Max', 'Last'].map((name) => markup`<th scope="col" class="number">${name}</th>`)}`;

function figureCells(metric: Metric, local: LocalTime): Markup {
  if (metric.as === 'state') return markup`<td colspan="4" class="states">${statesText(metric)}</td>`;
  if (!metric.isMoment) return numberCells(metric.figures, metric.unit);
  const last = (metric.figures?.last ?? NaN) * 1000;
  return markup`<td colspan="4" class="number">${local.date(last)} ${local.clock(last, false)}</td>`;
}

/** As `ok`, or `12 active, 1 failed`. */
function statesText({ lines }: Metric): string {
  const counts = new Map<string, number>();
  for (const { state = '–' } of lines) counts.set(state, (counts.get(state) ?? 0) + 1);
  if (lines.length === 1) return [...counts.keys()][0] ?? '–';
  return [...counts].map(([state, number]) => `${count(number)} ${state}`).join(', ');
}

const numberCells = (figures: Figures | undefined, unit: Unit): Markup =>
  markup`${(['min', 'mean', 'max', 'last'] as const).map(
    (name) => markup`<td class="number">${figures ? quantity(figures[name], unit) : '–'}</td>`,
  )}`;

/** A name that may go on in the next line after each of its parts. */
const breakable = (name: string): Markup => {
  const [first = '', ...others] = name.split(/(?<=[._:/-])/);
  return markup`${first}${others.map((part) => markup`<wbr>${part}`)}`;
};

interface FigureParts {
  readonly id: string;
  readonly metric: Metric;
  /** Those that are shown, in the order of the lines of the chart. */
  readonly lines: readonly Line[];
  /** Undefined of what does not change. */
  readonly chart: Markup | undefined;
}

export function figureOf({ id, metric, lines, chart }: FigureParts): Markup {
  const rest = metric.lines.length - lines.length;
  const left =
    lines.length > 0 && rest > 0
      ? `The ${lines.length} of ${count(metric.lines.length)} series with the largest mean; ${count(rest)} are left out.`
      : '';
  return markup`<figure id="${id}">
<figcaption><h3>${breakable(metric.name)}</h3><span class="note">${noteOf(metric, chart === undefined)}</span></figcaption>
${chart ?? ''}${legend(lines, metric, chart !== undefined)}${left === '' ? '' : markup`<p class="note">${left}</p>\n`}</figure>
`;
}

function noteOf({ as, help, isRate, shareOf, lines }: Metric, isUnchanged: boolean): string {
  const common = Object.entries(commonLabels(lines));
  const labels = common.map(([name, value]) => `${name}=${value}`).join(', ');
  const isShare = as === 'share' && lines.every(({ points }) => points);
  return [
    help?.replace(/\.$/, ''),
    isRate && 'growth per second',
    isShare && `share of ${shareOf}`,
    labels,
    isUnchanged && as !== 'state' && 'unchanged',
  ]
    .filter(Boolean)
    .join(' · ');
}

/** A row for each line: a column for each label that tells them apart. Of one line, its figures stand in the summary. */
function legend(lines: readonly Line[], { as, lineUnit }: Metric, isDrawn: boolean): Markup {
  if (lines.length < 2) return markup``;
  const common = commonLabels(lines);
  const differing = [...new Set(lines.flatMap(({ labels }) => Object.keys(labels)))].filter(
    (name) => !Object.hasOwn(common, name),
  );
  const inColumns = differing.length <= MAX_LABEL_COLUMNS;
  const heads = inColumns ? differing : ['labels'];
  const values = isDrawn
    ? NUMBER_HEADS
    : markup`<th scope="col" class="number">${as === 'state' ? 'State' : 'Value'}</th>`;
  const rows = lines.map(({ labels, figures, state }, index) => {
    const texts = differing.map((name) => (inColumns ? (labels[name] ?? WHOLE) : `${name}=${labels[name] ?? ''}`));
    const cells = inColumns ? texts : [texts.join(', ')];
    const value = markup`<td class="number">${state ?? (figures ? quantity(figures.last, lineUnit) : '–')}</td>`;
    return markup`<tr>${isDrawn ? markup`<td>${lineSample(index)}</td>` : ''}${cells.map((text) => markup`<th scope="row">${text}</th>`)}${isDrawn ? numberCells(figures, lineUnit) : value}</tr>\n`;
  });
  return markup`<table class="legend">
<thead><tr>${isDrawn ? markup`<td></td>` : ''}${heads.map((name) => markup`<th scope="col">${name}</th>`)}${values}</tr></thead>
<tbody>
${rows}</tbody>
</table>
`;
}

/** A series without a label that others have tells of all of them together. */
const WHOLE = 'all';

/** More labels than this share one column. */
const MAX_LABEL_COLUMNS = 4;
