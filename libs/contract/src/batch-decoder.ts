import type { Labels, Sample } from '@device-metrics/domain';
import * as rules from './rules.js';
import { parseTime, quote, type Rule } from './rules.js';

/** Why one item of a batch was refused: all of it, since an item is stored whole or not at all. */
export interface RejectedItem {
  /** Of the item in the batch, from 0. */
  readonly index: number;
  /** The first field of the item that is wrong; empty where the item as a whole is. */
  readonly field: string;
  /** What is allowed and what came. */
  readonly reason: string;
}

export interface DecodedBatch {
  readonly samples: Sample[];
  /** How many items the samples come from. */
  readonly accepted: number;
  readonly rejected: RejectedItem[];
}

/** The body is no batch at all. */
export class BatchShapeError extends Error {
  override readonly name = 'BatchShapeError';
}

/** The batch has more items than one request may carry. */
export class BatchTooLongError extends Error {
  override readonly name = 'BatchTooLongError';
}

/** Items of one batch; the answer may have to name each of them. */
export const MAX_ITEMS = 20_000;

const NO_LABELS: Labels = Object.freeze({});

/**
 * The samples of a body of `POST …/metrics/batch/`, which is `{"metrics": [ … ]}` or the bare array. Items have three
 * forms: a metric, a run (`samples`), and a reading of one device (`values`).
 *
 * @param receivedAt the time of items that carry none, and what "10 minutes ahead" is measured from; Unix ms.
 * @param oldest the first time that the receiver still takes, Unix ms.
 * @throws BatchShapeError when there is no array of items, or an empty one.
 * @throws BatchTooLongError when there are more than MAX_ITEMS.
 */
export function decodeBatch(body: unknown, receivedAt: number, oldest = rules.EARLIEST_TIMESTAMP): DecodedBatch {
  const items = itemsOf(body);
  const decoder = new ItemDecoder(receivedAt, Math.max(oldest, rules.EARLIEST_TIMESTAMP));
  const rejected: RejectedItem[] = [];
  for (let index = 0; index < items.length; index += 1) {
    const fault = decoder.decode(items[index]);
    if (fault) rejected.push({ index, ...fault });
  }
  return { samples: decoder.samples, accepted: items.length - rejected.length, rejected };
}

function itemsOf(body: unknown): unknown[] {
  const items = Array.isArray(body) ? (body as unknown[]) : (body as { metrics?: unknown } | null)?.metrics;
  if (!Array.isArray(items)) {
    throw new BatchShapeError(`body must be {"metrics": [ … ]} or an array of metrics, got ${quote(body)}`);
  }
  if (items.length === 0) throw new BatchShapeError('metrics must have at least one item, got []');
  if (items.length > MAX_ITEMS) {
    throw new BatchTooLongError(`metrics must have at most ${MAX_ITEMS} items, got ${items.length}`);
  }
  return items as unknown[];
}

interface Fault {
  readonly field: string;
  readonly reason: string;
}

type Item = Record<string, unknown>;

/** The fields of each form of item, in the order in which they are checked. */
const METRIC_FIELDS = ['device_name', 'metric_name', 'value', 'unit', 'labels', 'timestamp'] as const;
const RUN_FIELDS = ['device_name', 'metric_name', 'unit', 'labels', 'samples'] as const;
const READING_FIELDS = ['device_name', 'timestamp', 'values'] as const;
const KNOWN_FIELDS = {
  metric: new Set<string>(METRIC_FIELDS),
  run: new Set<string>(RUN_FIELDS),
  reading: new Set<string>(READING_FIELDS),
};

/** Which form an item has: `values` makes it a reading of one device, `samples` a run, neither a metric. */
export function formOf(item: object): 'metric' | 'run' | 'reading' {
  if ('values' in item) return 'reading';
  return 'samples' in item ? 'run' : 'metric';
}

/**
 * Names that have passed their rule, each as one string that all its samples share: it is hashed and compared once
 * instead of wherever the sample goes. Bounded: when it is full of names it starts again.
 */
class KnownNames {
  private readonly names = new Map<unknown, string>();

  constructor(private readonly rule: Rule) {}

  /** The shared string, or why the name is refused. */
  get(field: string, name: unknown): string | Fault {
    const known = this.names.get(name);
    if (known !== undefined) return known;
    const reason = this.rule(name);
    if (reason !== undefined) return { field, reason };
    if (this.names.size >= 20_000) this.names.clear();
    this.names.set(name, name as string);
    return name as string;
  }
}

const deviceNames = new KnownNames(rules.deviceName);
const metricNames = new KnownNames(rules.metricName);
const units = new KnownNames(rules.unit);

class ItemDecoder {
  readonly samples: Sample[] = [];
  private readonly timestampRule: Rule;
  private readonly latest: number;
  private lastTimestamp: unknown;
  private lastTime = 0;

  constructor(
    private readonly receivedAt: number,
    private readonly oldest: number,
  ) {
    this.timestampRule = rules.timestamp(() => receivedAt, oldest);
    this.latest = receivedAt + rules.MAX_AHEAD;
  }

  /** Adds the samples of one item, or none and says why. */
  decode(item: unknown): Fault | undefined {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) {
      return { field: '', reason: `must be an object, got ${quote(item)}` };
    }
    const form = formOf(item);
    const known = KNOWN_FIELDS[form];
    for (const field in item) {
      if (!known.has(field)) {
        return { field, reason: `is not a field of a ${form}; allowed are ${[...known].join(', ')}` };
      }
    }
    const deviceName = deviceNames.get('device_name', (item as Item)['device_name']);
    if (typeof deviceName !== 'string') return deviceName;
    return form === 'reading' ? this.reading(deviceName, item as Item) : this.ofSeries(deviceName, item as Item, form);
  }

  private reading(deviceName: string, item: Item): Fault | undefined {
    const timestamp = this.time(item['timestamp']);
    if (typeof timestamp !== 'number') return timestamp;
    const values = item['values'];
    if (typeof values !== 'object' || values === null || Array.isArray(values)) return valuesFault(values);
    const before = this.samples.length;
    for (const name in values) {
      const metricName = metricNames.get('values', name);
      const value = (values as Item)[name];
      if (typeof metricName !== 'string' || !Number.isFinite(value)) {
        this.samples.length = before;
        return valuesFault(values);
      }
      this.samples.push({
        deviceName,
        metricName,
        unit: undefined,
        labels: NO_LABELS,
        timestamp,
        value: value as number,
      });
    }
    return this.samples.length === before ? valuesFault(values) : undefined;
  }

  private ofSeries(deviceName: string, item: Item, form: 'metric' | 'run'): Fault | undefined {
    const metricName = metricNames.get('metric_name', item['metric_name']);
    if (typeof metricName !== 'string') return metricName;
    const unit = item['unit'] === undefined ? undefined : units.get('unit', item['unit']);
    if (typeof unit === 'object') return unit;
    const labels = item['labels'] === undefined ? NO_LABELS : item['labels'];
    const reason = labels === NO_LABELS ? undefined : rules.labels(labels);
    if (reason !== undefined) return { field: 'labels', reason };
    const series = { deviceName, metricName, unit, labels: labels as Labels };
    return form === 'metric' ? this.metric(series, item) : this.run(series, item);
  }

  private metric({ deviceName, metricName, unit, labels }: NamedSeries, item: Item): Fault | undefined {
    const value = item['value'];
    if (!Number.isFinite(value)) return { field: 'value', reason: rules.metricValue(value) ?? '' };
    const timestamp = this.time(item['timestamp']);
    if (typeof timestamp !== 'number') return timestamp;
    this.samples.push({ deviceName, metricName, unit, labels, timestamp, value: value as number });
    return undefined;
  }

  private run({ deviceName, metricName, unit, labels }: NamedSeries, item: Item): Fault | undefined {
    const reason = rules.samples(() => this.receivedAt, this.oldest)(item['samples']);
    if (reason !== undefined) return { field: 'samples', reason };
    for (const [time, value] of item['samples'] as [unknown, number][]) {
      this.samples.push({ deviceName, metricName, unit, labels, timestamp: parseTime(time) as number, value });
    }
    return undefined;
  }

  /** The time that a field means, or what is wrong with it. Items of one batch often carry the same text. */
  private time(timestamp: unknown): number | Fault {
    if (timestamp === undefined) return this.receivedAt;
    if (timestamp === this.lastTimestamp) return this.lastTime;
    if (!(
      Number.isSafeInteger(timestamp) &&
      (timestamp as number) >= this.oldest &&
      (timestamp as number) <= this.latest
    )) {
      const reason = this.timestampRule(timestamp);
      if (reason !== undefined) return { field: 'timestamp', reason };
    }
    this.lastTimestamp = timestamp;
    this.lastTime = parseTime(timestamp) as number;
    return this.lastTime;
  }
}

type NamedSeries = Omit<Sample, 'timestamp' | 'value'>;

const valuesFault = (values: unknown): Fault => ({ field: 'values', reason: rules.values(values) ?? '' });
