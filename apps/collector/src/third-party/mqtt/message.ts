import {
  inBaseUnit,
  metricDefinition,
  parseDecimal,
  quote,
  scaled,
  toMetricName,
  type Labels,
  type Reading,
} from '@device-metrics/domain';
import { jsonOfDevice } from '../json-of-device.js';
import { labelled } from '../labelled.js';
import { lineReadings, type Lines } from '../line-readings.js';
import { parseJson, readingsOf, type Mapping } from '../mapping.js';
import type { DistinctName } from '@device-metrics/formats';
import type { TopicPattern } from './topic.js';

/** What becomes of the messages of a topic. */
export interface Topic {
  readonly pattern: TopicPattern;
  /** Names in braces stand for the texts of the topic. Undefined: `{metric}` of the topic, or the path in the JSON. */
  readonly metric: string | undefined;
  /** Where the number is in a JSON payload, as in `ENERGY.Power`. */
  readonly path: string | undefined;
  /** JSONata that makes readings of a JSON payload. */
  readonly mapping: Mapping | undefined;
  /** How a payload of Influx lines is read; undefined where it is none. */
  readonly lines: Lines | undefined;
  readonly unit: string | undefined;
  /** Units by a pattern of the path in the JSON, or of the metric where the payload is a number itself. */
  readonly units: (name: string) => string | undefined;
  readonly scale: number;
  readonly labels: Labels;
  /** Whether what the broker has retained counts. */
  readonly retained: boolean;
  /** Whether a mapping may give times. */
  readonly timestamps: boolean;
}

/** Of one payload; what is beyond is left out, and said. */
const MOST_VALUES = 500;
const WORDS: Readonly<Record<string, number>> = {
  on: 1,
  true: 1,
  online: 1,
  open: 1,
  off: 0,
  false: 0,
  offline: 0,
  closed: 0,
};

/**
 * The readings of a message; undefined where the topic does not fit.
 *
 * @param leaveOut told of a part of the payload that is no reading, while others are.
 * @throws Error when the payload is not what the configuration says.
 */
export async function messageReadings(
  topic: Topic,
  name: string,
  payload: string,
  leaveOut: (reason: string) => void,
): Promise<Reading[] | undefined> {
  const names = topic.pattern.match(name);
  if (!names) return undefined;
  const { device, metric, ...others } = names;
  const ofDevice = device === undefined ? {} : { deviceName: device };
  if (topic.mapping) {
    const { timestamps } = topic;
    const reject = (part: string, reason: string): void => leaveOut(`${part} ${reason}`);
    const readings = await readingsOf(payload, topic.mapping, { reject, timestamps });
    return readings.map((reading) => ({
      ...ofDevice,
      ...reading,
      ...labelled({ ...others, ...topic.labels, ...reading.labels }),
    }));
  }
  if (topic.lines) {
    const reject = (part: string, reason: string): void => leaveOut(`${part}: ${reason}`);
    return lineReadings(payload, topic.lines, topic.units, eachByItself, reject).map(({ labels, ...reading }) => {
      const { host, ...tags } = labels;
      const deviceName = device ?? host;
      // What the device says as well is no label.
      const own = host === deviceName ? tags : labels;
      return {
        ...(deviceName !== undefined && { deviceName }),
        ...reading,
        ...labelled({ ...others, ...topic.labels, ...own }),
      };
    });
  }
  const base = topic.metric?.replace(/\{(\w+)\}/g, (whole, key: string) => names[key] ?? whole) ?? metric;
  return valuesOf(payload, topic.path, leaveOut).map(({ path, value }) => {
    const said = [base, topic.path === undefined ? path : ''].filter(Boolean).join('.') || 'value';
    const metricName = toMetricName(said);
    const unit = topic.units(path || metricName) ?? topic.unit;
    const known = unit ?? metricDefinition(metricName)?.unit;
    return {
      ...ofDevice,
      metricName,
      ...inBaseUnit(scaled(value, topic.scale), known),
      // Topics stay apart whatever letters they have: `温度` and `湿度` both become `__`.
      ...labelled({ ...(metricName !== said && { name: said }), ...others, ...topic.labels }),
    };
  });
}

/** Messages come one by one, and names that become the same metric must stay apart in all of them. */
const eachByItself =
  () =>
  (name: string): DistinctName => {
    const metricName = toMetricName(name);
    return { metricName, label: metricName === name ? undefined : { name } };
  };

/**
 * Whether a payload says that a device is there: `online`, `Offline`, `true`, `1`, or JSON with `state` as Zigbee2MQTT sends it.
 *
 * @throws Error when it says neither.
 */
export function isOnline(payload: string): boolean {
  const text = payload.trim();
  const state = text.startsWith('{') ? (parseJson(text) as { state?: unknown }).state : text;
  const value = numberOf(state);
  if (value === undefined) throw new Error(`must be online or offline, got ${quote(state)}`);
  return value !== 0;
}

interface Value {
  /** In the JSON, as in `ENERGY.Power`; empty for a payload that is a number itself. */
  readonly path: string;
  readonly value: number;
}

/** The number of a payload, or all numbers in a JSON payload, or the one at a path. */
function valuesOf(payload: string, path: string | undefined, leaveOut: (reason: string) => void): Value[] {
  const number = path === undefined ? numberOf(payload) : undefined;
  if (number !== undefined) return [{ path: '', value: number }];
  if (path === undefined) {
    const json = parsePayload(payload);
    const values = leaves(json, '');
    if (values.length === 0 && isEmpty(json)) return [];
    if (values.length === 0) throw new Error(`has no number in it, got ${quote(payload)}`);
    if (values.length > MOST_VALUES) {
      leaveOut(`has ${values.length} numbers, of which the first ${MOST_VALUES} are taken; a mapping can choose`);
    }
    return values.slice(0, MOST_VALUES);
  }
  const json = parseJson(payload);
  const found = path.split('.').reduce<unknown>((part, key) => memberOf(part, key), json);
  const value = numberOf(found);
  if (value === undefined) throw new Error(`${path} must be a number, got ${quote(found)}`);
  return [{ path, value }];
}

function parsePayload(payload: string): unknown {
  try {
    return jsonOfDevice(payload);
  } catch {
    throw new Error(`must be a number, JSON or one of ${Object.keys(WORDS).join(', ')}, got ${quote(payload)}`);
  }
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

/** A sensor that has no value yet, or none any more, says null; ESPHome says nan. */
function isEmpty(json: unknown): boolean {
  if (typeof json === 'object' && json !== null) return Object.values(json).every(isEmpty);
  return json === null || json === '';
}

/** Numbers, truth values, and texts that are either; other texts are names and times more often than readings. */
function leaves(json: unknown, path: string): Value[] {
  const value = numberOf(json);
  if (value !== undefined) return [{ path, value }];
  if (typeof json !== 'object' || json === null) return [];
  return Object.entries(json).flatMap(([key, part]) => leaves(part, path === '' ? key : `${path}.${key}`));
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  if (typeof value !== 'string') return undefined;
  const number = parseDecimal(value.trim());
  if (number !== undefined) return number;
  const word = value.trim().toLowerCase();
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}
