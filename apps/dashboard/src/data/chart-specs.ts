import { metricDefinition, metricKind, oneNumber, stateLabels } from '@device-metrics/domain';
import { isRatio, rateUnit } from '../units.js';

/** A series of a device as `latest` tells it. */
export interface KnownSeries {
  readonly metric_name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly unit?: string;
}

/** One chart: which metrics of a device it shows, and how. */
export interface ChartSpec {
  /** Unique on a page. */
  readonly id: string;
  readonly title: string;
  readonly metrics: readonly string[];
  /** Of the samples; those of series in another unit are converted. */
  readonly sampleUnit?: string | undefined;
  /** Of what is drawn; of a counter that is per second. */
  readonly unit: string | undefined;
  /** `lines` beside each other, or states stacked to their whole. */
  readonly show: 'lines' | 'stack';
  /** Counters are drawn as what they grew per second. */
  readonly rate: boolean;
  /** Only series with all these labels. */
  readonly only?: Readonly<Record<string, string>>;
  /** The stack is divided by its sum: shares of the whole. */
  readonly shares?: boolean;
  readonly help?: string;
}

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly charts: readonly ChartSpec[];
  /** Starts closed: what few look for. */
  readonly closed?: boolean;
}

interface Wanted {
  readonly title: string;
  readonly metrics: readonly string[];
}

const wanted = (title: string, ...metrics: string[]): Wanted => ({ title, metrics });

/** What a person looks for in a device, in their words and order. */
const SECTIONS: readonly (readonly [id: string, title: string, charts: readonly Wanted[]])[] = [
  [
    'cpu',
    'CPU',
    [
      wanted('CPU busy', 'system.cpu.utilization'),
      wanted('CPU time by mode', 'system.cpu.time'),
      wanted('Load average', 'system.cpu.load_average.1m', 'system.cpu.load_average.5m', 'system.cpu.load_average.15m'),
      wanted('CPU frequency', 'system.cpu.frequency'),
    ],
  ],
  [
    'memory',
    'Memory',
    [
      wanted('Memory', 'system.memory.usage'),
      wanted('Swap', 'system.paging.usage'),
      wanted('Page faults', 'system.paging.faults'),
      wanted('Swapped in and out', 'system.paging.operations'),
    ],
  ],
  [
    'disks',
    'Disks',
    [
      wanted('Disks full', 'system.filesystem.utilization'),
      wanted('Space', 'system.filesystem.usage'),
      wanted('Read and written', 'system.disk.io'),
      wanted('Disk busy', 'system.disk.io_time'),
      wanted('Reads and writes', 'system.disk.operations'),
    ],
  ],
  [
    'network',
    'Network',
    [
      wanted('Traffic', 'system.network.io'),
      wanted('Packets', 'system.network.packet.count'),
      wanted('Errors', 'system.network.errors'),
      wanted('Dropped packets', 'system.network.packet.dropped'),
    ],
  ],
  [
    'temperatures',
    'Temperatures and power',
    [
      wanted('Temperatures', 'hw.temperature'),
      wanted('Fans', 'hw.fan.speed'),
      wanted('Power', 'hw.power'),
      wanted('Battery', 'hw.battery.charge'),
      wanted('Time left on battery', 'hw.battery.time_left'),
      wanted('Voltage', 'hw.voltage'),
      wanted('Current', 'hw.current'),
      wanted('UPS load', 'hw.ups.utilization'),
      wanted('GPU busy', 'hw.gpu.utilization'),
      wanted('GPU memory', 'hw.gpu.memory.usage'),
    ],
  ],
  [
    'processes',
    'Processes',
    [
      wanted('CPU of programs', 'process.cpu.utilization'),
      wanted('Memory of programs', 'process.memory.usage'),
      wanted('Processes', 'system.process.count'),
      wanted('Started', 'system.process.created'),
    ],
  ],
];

/** What the collector says of itself, and what the api says of itself to a collector that reads it. */
const OF_COLLECTOR = /^collector\./;
const OF_API = /^(device_metrics_|http_server_|nodejs_|process_)/;

/** The metrics of the system and its hardware, which no section shows, are for those who look for them. */
const OF_SYSTEM = /^(system|process|hw|container|systemd)\./;

/** Whether a series belongs to the tab of what the programs say of themselves. */
export const isOwn = ({ metric_name, labels }: KnownSeries): boolean =>
  OF_COLLECTOR.test(metric_name) || OF_API.test(metric_name) || Object.hasOwn(labels, 'service.name');

/** The sections of a device, each with the charts for which it has series. */
export function sectionsOf(all: readonly KnownSeries[]): Section[] {
  const known = all.filter((series) => !isOwn(series));
  const byMetric = grouped(known);
  const shown = new Set<string>();
  const sections = SECTIONS.flatMap(([id, title, wishes]): Section[] => {
    const charts = wishes.flatMap(({ title, metrics }) => {
      const present = metrics.filter((metric) => byMetric.has(metric));
      for (const metric of present) shown.add(metric);
      return present.length > 0 ? chartsOf(title, present, byMetric.get(present[0] ?? '') ?? []) : [];
    });
    return charts.length > 0 ? [{ id, title, charts }] : [];
  });
  const rest = [...byMetric].filter(([metric]) => !shown.has(metric));
  const plain = (chosen: typeof rest): ChartSpec[] =>
    chosen.flatMap(([metric, series]) => chartsOf(metric, [metric], series));
  const foreign = plain(rest.filter(([metric]) => !OF_SYSTEM.test(metric)));
  const further = plain(rest.filter(([metric]) => OF_SYSTEM.test(metric)));
  return [
    ...sections,
    ...(foreign.length > 0
      ? [{ id: 'metrics', title: sections.length > 0 ? 'Other metrics' : 'Metrics', charts: foreign }]
      : []),
    ...(further.length > 0 ? [{ id: 'further', title: 'Further metrics', charts: further, closed: true }] : []),
  ];
}

/** The charts of what the collector and the api say of themselves. */
export function ownSectionsOf(all: readonly KnownSeries[]): Section[] {
  const known = [...grouped(all.filter(isOwn))];
  const section = (id: string, title: string, belongs: (metric: string) => boolean): Section[] => {
    const charts = known
      .filter(([metric]) => belongs(metric))
      .flatMap(([metric, series]) => chartsOf(metric, [metric], series));
    return charts.length > 0 ? [{ id, title, charts }] : [];
  };
  return [
    // What never changes is no chart.
    ...section('collector', 'Collector', (metric) => !OF_API.test(metric) && metric !== 'collector.info'),
    ...section('api', 'Api', (metric) => metric.startsWith('device_metrics_') || metric.startsWith('http_server_')),
    ...section('node', 'Process of the api', (metric) => metric.startsWith('nodejs_') || metric.startsWith('process_')),
  ];
}

function grouped(all: readonly KnownSeries[]): Map<string, KnownSeries[]> {
  const byMetric = new Map<string, KnownSeries[]>();
  for (const series of all) {
    const before = byMetric.get(series.metric_name);
    if (before) before.push(series);
    else byMetric.set(series.metric_name, [series]);
  }
  return byMetric;
}

/** Space of several disks is no whole, so each has a chart of its own. */
const APART = 6;

/** One chart of metrics that go together, or, where states stack to several wholes, one for each whole. */
function chartsOf(title: string, metrics: readonly string[], series: readonly KnownSeries[]): ChartSpec[] {
  const metric = metrics[0] ?? '';
  const rate = isCounter(metric);
  const unit = unitOf(metric, series);
  const help = metricDefinition(metric)?.help;
  const base = { metrics, rate, sampleUnit: unit, unit: rate ? rateUnit(unit) : unit, ...(help && { help }) };
  const stacked = metrics.length === 1 && series.some(({ labels }) => stateLabels(metric, labels).length > 0);
  if (!stacked) return [{ ...base, id: metric, title, show: 'lines' }];
  // Processors are one whole, as are all programs; disks are not.
  const number = oneNumber(metric);
  const shares = number.as === 'share' && rate;
  const wholes = shares ? [] : wholesOf(metric, series);
  if (wholes.length < 2) {
    const unitOfShares = shares ? '1' : base.unit;
    return [{ ...base, unit: unitOfShares, id: metric, title, show: 'stack', ...(shares && { shares }) }];
  }
  if (wholes.length > APART) return [{ ...base, id: metric, title, show: 'lines' }];
  return wholes.map((only) => {
    const name = nameOfWhole(only);
    return {
      ...base,
      id: `${metric} ${name}`.trim(),
      title: name === '' ? title : `${title} of ${name}`,
      show: 'stack',
      only,
    };
  });
}

/** That of the catalogue where any series has it, or none says one; else that of the first. */
function unitOf(metric: string, series: readonly KnownSeries[]): string | undefined {
  const own = metricDefinition(metric)?.unit;
  const units = series.flatMap(({ unit }) => unit ?? []);
  return own !== undefined && (units.length === 0 || units.includes(own)) ? own : units[0];
}

/** The sets of labels, states aside. */
function wholesOf(metric: string, series: readonly KnownSeries[]): Record<string, string>[] {
  const wholes = new Map<string, Record<string, string>>();
  for (const { labels } of series) {
    const states = stateLabels(metric, labels);
    const things = Object.fromEntries(Object.entries(labels).filter(([name]) => !states.includes(name)));
    wholes.set(JSON.stringify(things), things);
  }
  return [...wholes.values()];
}

const nameOfWhole = (labels: Readonly<Record<string, string>>): string => {
  const named = Object.entries(labels).find(([name]) => /mountpoint$|\.name$|^name$/.test(name));
  return named?.[1] ?? Object.values(labels).join(' ');
};

/** By the catalogue, or by what Prometheus calls the parts of its histograms. */
export const isCounter = (metric: string): boolean =>
  metricKind(metric) === 'counter' ||
  (metricDefinition(metric) === undefined && /_(total|bucket|count|sum)$/.test(metric));

/** Whether a chart's axis goes from nothing to the whole. */
export const isWhole = ({ unit, metrics }: ChartSpec): boolean => isRatio(unit, metrics[0]);
