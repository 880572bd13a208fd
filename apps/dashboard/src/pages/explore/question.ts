import { metricDefinition, oneNumber, stateLabel } from '@device-metrics/domain';
import type { Address } from '../../address.js';
import type { Query } from '../../api.js';
import { isCounter, type ChartSpec } from '../../data/chart-specs.js';
import { lengthOf, stepFor, stepText, zoneName, type TimeWindow, type Zone } from '../../time-window.js';
import { rateUnit } from '../../units.js';

/** What the page asks, as its address says it. */
export interface Question {
  readonly metric: string;
  readonly devices: readonly string[];
  readonly tags: readonly string[];
  readonly labels: readonly string[];
  readonly aggregation: string;
  /** A duration, or `auto`. */
  readonly step: string;
  readonly order: 'top' | 'bottom';
  readonly count: number;
  /** Against the time before, as long as this one. */
  readonly before: boolean;
}

export const AGGREGATIONS = ['mean', 'min', 'max', 'sum', 'count', 'last', 'p50', 'p95', 'p99'];
export const RATES = ['rate', 'increase'];
export const COUNTS = [5, 10, 20, 50];
export const STEPS = ['auto', '10s', '1m', '5m', '15m', '1h', '6h', '1d', '7d'];

const DEFAULT_METRIC = 'system.cpu.utilization';

/** What is asked of a metric where the address does not say. */
export const usualAggregation = (metric: string): string => (isCounter(metric) ? 'rate' : 'mean');

/** Of a metric whose states make a whole, the state that a person means. */
function usualLabels(metric: string): string[] {
  const number = oneNumber(metric);
  const states = 'states' in number ? (number.states ?? []) : [];
  return states.length === 1 ? [`${stateLabel(metric)}=${states[0]}`] : [];
}

export function questionOf(address: Address): Question {
  const metric = address.get('metric') ?? DEFAULT_METRIC;
  const count = Number(address.get('n'));
  return {
    metric,
    devices: address.all('device'),
    tags: address.all('tag'),
    labels: address.get('label') === undefined ? usualLabels(metric) : address.all('label').filter(Boolean),
    aggregation: address.get('agg') ?? usualAggregation(metric),
    step: address.get('step') ?? 'auto',
    order: address.get('order') === 'bottom' ? 'bottom' : 'top',
    count: count >= 1 && count <= 1000 ? Math.floor(count) : 10,
    before: address.get('before') === '1',
  };
}

/** The parameters of the call. */
export function compareQuery(question: Question, window: TimeWindow, start: number, end: number, zone: Zone): Query {
  const step = question.step === 'auto' ? stepText(stepFor(lengthOf(window), 300, 10_000)) : question.step;
  return {
    metric_name: question.metric,
    device_name: question.devices,
    tag: question.tags,
    label: question.labels,
    start_time: new Date(start).toISOString(),
    end_time: new Date(end).toISOString(),
    step,
    aggregation: question.aggregation,
    [question.order]: String(question.count),
    ...(question.before && { offset: `${Math.round((end - start) / 1000)}s` }),
    ...(step.endsWith('d') && zone === 'local' && { timezone: zoneName('local') }),
  };
}

/** How the answer is drawn. */
export function specOf({ metric, aggregation }: Question, unit: string | undefined): ChartSpec {
  const own = unit ?? metricDefinition(metric)?.unit;
  const shown = aggregation === 'rate' ? rateUnit(own) : aggregation === 'count' ? '{sample}' : own;
  return {
    id: 'explore',
    title: metric,
    metrics: [metric],
    sampleUnit: own,
    unit: shown,
    show: 'lines',
    rate: aggregation === 'rate',
  };
}
