import {
  EARLIEST_TIMESTAMP,
  inSlices,
  NO_LABELS,
  passSamples,
  Slices,
  type Candidate,
  type Candidates,
  type Receipt,
  type Refusal,
  type Sample,
} from '@device-metrics/domain';
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

/** What the items of a batch say, before the gate has seen it. */
export interface BatchCandidates extends Candidates {
  readonly ends: readonly number[];
  /** Items that are of no form of the wire, and so have no candidates. */
  readonly malformed: RejectedItem[];
}

/**
 * The samples of a body of `POST …/metrics/batch/`: its candidates, as far as the domain's rules let them pass.
 *
 * @param receivedAt the time of items that carry none, and what "10 minutes ahead" is measured from; Unix ms.
 * @param oldest the first time that the receiver still takes, Unix ms.
 * @throws BatchShapeError when there is no array of items, or an empty one.
 * @throws BatchTooLongError when there are more than MAX_ITEMS.
 */
export async function decodeBatch(
  body: unknown,
  receivedAt: number,
  oldest = EARLIEST_TIMESTAMP,
): Promise<DecodedBatch> {
  const receipt = { receivedAt, oldest };
  const batch = await decodeCandidates(body, receipt);
  const { samples, refused } = passSamples(batch, receipt);
  const rejected = await rejectedItems(body, batch, refused, receipt);
  return { samples, accepted: batch.ends.length - rejected.length, rejected };
}

/**
 * What a batch says, which is `{"metrics": [ … ]}` or the bare array. Items have three forms: a metric, a run
 * (`samples`), and a reading of one device (`values`). Only their form is judged here; the gate does the rest. In slices.
 *
 * @throws BatchShapeError when there is no array of items, or an empty one.
 * @throws BatchTooLongError when there are more than MAX_ITEMS.
 */
export async function decodeCandidates(body: unknown, receipt: Receipt): Promise<BatchCandidates> {
  const slices = new Slices();
  const decoder = new ItemDecoder(receipt.receivedAt, slices);
  const ends: number[] = [];
  const malformed: RejectedItem[] = [];
  for (const item of itemsOf(body)) {
    const isRead = decoder.decode(item);
    if (!(typeof isRead === 'boolean' ? isRead : await isRead)) {
      malformed.push({ index: ends.length, ...faultOf(item, receipt) });
    }
    ends.push(decoder.candidates.length);
    if (slices.isOver()) await slices.next();
  }
  return { samples: decoder.candidates, ends, malformed };
}

/** All items of a batch that were refused, in their order and in the words of the wire format; in slices. */
export async function rejectedItems(
  body: unknown,
  { malformed }: Pick<BatchCandidates, 'malformed'>,
  refused: readonly Refusal[],
  receipt: Receipt,
): Promise<RejectedItem[]> {
  if (refused.length === 0) return malformed;
  const items = itemsOf(body);
  const rejected: RejectedItem[] = [];
  await inSlices(refused, ({ item: index, field, reason, ofSender }) =>
    rejected.push({
      index,
      ...(ofSender ? { field, reason } : faultOf(items[index], receipt, { field, reason })),
    }),
  );
  return [...malformed, ...rejected].sort((a, b) => a.index - b.index);
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

/** The fields of each form of item. */
const KNOWN_FIELDS = {
  metric: new Set(['device_name', 'metric_name', 'value', 'unit', 'labels', 'timestamp']),
  run: new Set(['device_name', 'metric_name', 'unit', 'labels', 'samples']),
  reading: new Set(['device_name', 'timestamp', 'values']),
};

/** Which form an item has: `values` makes it a reading of one device, `samples` a run, neither a metric. */
export function formOf(item: object): 'metric' | 'run' | 'reading' {
  if ('values' in item) return 'reading';
  return 'samples' in item ? 'run' : 'metric';
}

const isObject = (value: unknown): value is Item =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

class ItemDecoder {
  readonly candidates: Candidate[] = [];
  private lastTimestamp: unknown;
  private lastTime: unknown;

  constructor(
    private readonly receivedAt: number,
    private readonly slices: Slices,
  ) {}

  /** Adds what an item says, or nothing where it is of no form. */
  decode(item: unknown): boolean | Promise<boolean> {
    if (!isObject(item)) return false;
    const form = formOf(item);
    const known = KNOWN_FIELDS[form];
    for (const field in item) if (!known.has(field)) return false;
    const deviceName = item['device_name'];
    if (form === 'reading') return this.reading(deviceName, item);
    const { metric_name: metricName, unit, labels = NO_LABELS } = item;
    if (form === 'run') return this.run({ deviceName, metricName, unit, labels }, item['samples']);
    const timestamp = this.time(item['timestamp']);
    this.candidates.push({ deviceName, metricName, unit, labels, timestamp, value: item['value'] });
    return true;
  }

  private reading(deviceName: unknown, item: Item): boolean {
    const values = item['values'];
    if (!isObject(values)) return false;
    const timestamp = this.time(item['timestamp']);
    const before = this.candidates.length;
    for (const metricName in values) {
      const value = values[metricName];
      this.candidates.push({ deviceName, metricName, unit: undefined, labels: NO_LABELS, timestamp, value });
    }
    return this.candidates.length > before;
  }

  private async run(series: Omit<Candidate, 'timestamp' | 'value'>, samples: unknown): Promise<boolean> {
    if (!Array.isArray(samples) || samples.length === 0) return false;
    if (!samples.every((pair) => Array.isArray(pair) && pair.length === 2)) return false;
    const { deviceName, metricName, unit, labels } = series;
    await inSlices(
      samples as [unknown, unknown][],
      ([time, value]) =>
        this.candidates.push({ deviceName, metricName, unit, labels, timestamp: parseTime(time) ?? time, value }),
      this.slices,
    );
    return true;
  }

  /** The time that a field means, or what it holds where that is none. Items of one batch often carry the same text. */
  private time(timestamp: unknown): unknown {
    if (timestamp === undefined) return this.receivedAt;
    if (typeof timestamp === 'number') return timestamp;
    if (timestamp !== this.lastTimestamp) {
      this.lastTimestamp = timestamp;
      this.lastTime = parseTime(timestamp) ?? timestamp;
    }
    return this.lastTime;
  }
}

const optional =
  (rule: Rule): Rule =>
  (value) =>
    value === undefined ? undefined : rule(value);

/** The first that is wrong with an item that was refused, by the fields that its form has. */
/** @param ofGate what the gate says of it, which knows more than the item does. */
function faultOf(item: unknown, { receivedAt, oldest }: Receipt, ofGate?: Fault): Fault {
  if (!isObject(item)) return { field: '', reason: `must be an object, got ${quote(item)}` };
  const form = formOf(item);
  const known = KNOWN_FIELDS[form];
  for (const field in item) {
    if (known.has(field)) continue;
    return { field, reason: `is not a field of a ${form}; allowed are ${[...known].join(', ')}` };
  }
  const clock = (): number => receivedAt;
  const from = Math.max(oldest, EARLIEST_TIMESTAMP);
  const series: [string, Rule][] = [
    ['device_name', rules.deviceName],
    ['metric_name', rules.metricName],
    ['unit', optional(rules.unit)],
    ['labels', optional(rules.labels)],
  ];
  const timestamp: [string, Rule] = ['timestamp', optional(rules.timestamp(clock, from))];
  const fields: Record<typeof form, [string, Rule][]> = {
    metric: [...series, ['value', rules.metricValue], timestamp],
    run: [...series, ['samples', rules.samples(clock, from)]],
    reading: [['device_name', rules.deviceName], timestamp, ['values', rules.values]],
  };
  for (const [field, rule] of fields[form]) {
    const reason = rule(item[field]);
    if (reason !== undefined) return { field, reason };
  }
  return ofGate ?? { field: '', reason: 'was refused' };
}
