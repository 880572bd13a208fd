import { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { parseTime } from '@device-metrics/contract/rules';
import { inBaseUnit, parseDecimal, quote, reasonOf, type Reading } from '@device-metrics/domain';
import type Jsonata from 'jsonata';
import type { ExprNode } from 'jsonata';
import { jsonOfDevice } from './json-of-device.js';
import { MappingThread } from './mapping-thread.js';

export interface Mapping {
  evaluate(input: unknown): Promise<unknown>;
}

/** For all mappings of this process that need one. */
const thread = new MappingThread();

/** How long a mapping may take, ms: less than a source, which would only say that there was no answer. How deep its calls may go. */
const LONGEST = 3_000;
const DEEPEST = 10_000;
/** How long it may hold the event loop before other sources get their turn, ms. */
const SLICE = 10;

/**
 * A mapping that is without end fails after `longest` ms, and holds nobody up meanwhile.
 *
 * @throws Error that says where the expression is wrong.
 */
export function parseMapping(text: string, longest = LONGEST): Mapping {
  try {
    const options = { timeout: longest, stack: DEEPEST };
    // Only where there is a mapping.
    const jsonata = createRequire(import.meta.url)('jsonata') as typeof Jsonata;
    const mapping = jsonata(text, options);
    if (mayBacktrack(mapping.ast())) return { evaluate: (input) => thread.evaluate(text, options, input) };
    let last = 0;
    const beforeEachStep = (): Promise<void> | undefined =>
      performance.now() - last < SLICE ? undefined : setImmediate().then(() => void (last = performance.now()));
    // The name under which JSONata looks for it is a symbol, which its types don't know.
    mapping.assign(Symbol.for('jsonata.__evaluate_entry') as unknown as string, beforeEachStep);
    return mapping;
  } catch (error) {
    const { message, position } = error as { message: string; position?: number };
    throw new Error(`is no JSONata: ${message} (at character ${position ?? 0})`, { cause: error });
  }
}

/** How the readings of a mapping are taken. */
export interface MappingOptions {
  /** Takes each reading that is none; without it the first one is an error. */
  readonly reject?: ((part: string, reason: string) => void) | undefined;
  /** Whether a reading may have a `timestamp`. */
  readonly timestamps?: boolean | undefined;
}

/** Whether there is a regular expression in it, or may be made: while one backtracks nothing else runs on its thread. */
function mayBacktrack(ast: ExprNode): boolean {
  const nodes: unknown[] = [ast];
  while (nodes.length > 0) {
    const node = nodes.pop();
    if (typeof node !== 'object' || node === null) continue;
    const { type, value } = node as { type?: unknown; value?: unknown };
    if (node instanceof RegExp || type === 'regex' || (type === 'variable' && value === 'eval')) return true;
    for (const part of Object.values(node)) nodes.push(part);
  }
  return false;
}

/**
 * The readings that a mapping makes of an answer.
 *
 * @throws Error when the answer is no JSON, or the mapping makes something else of it than readings.
 */
export async function readingsOf(body: string, mapping: Mapping, options: MappingOptions = {}): Promise<Reading[]> {
  const answer = parseJson(body);
  const result: unknown = await mapping.evaluate(answer).catch((error: { message?: string }) => {
    throw new Error(`the mapping does not fit the answer: ${error.message}`, { cause: error });
  });
  if (result === undefined) throw new Error(`the mapping finds nothing in the answer ${quote(answer)}`);
  const wrong: WrongReading[] = [];
  const readings = (Array.isArray(result) ? result : [result]).flatMap((item): Reading[] => {
    try {
      return [toReading(item, options.timestamps ?? false)];
    } catch (error) {
      if (!(error instanceof WrongReading)) throw error;
      wrong.push(error);
      return [];
    }
  });
  const [first] = wrong;
  if (first && (!options.reject || readings.length === 0)) throw first;
  for (const { part, reason } of wrong) options.reject?.(part, reason);
  return readings;
}

/** One item of what a mapping makes that is no reading. */
class WrongReading extends Error {
  constructor(
    readonly part: string,
    readonly reason: string,
    message = `${part} ${reason}`,
  ) {
    super(message);
  }
}

/** @throws Error that quotes the beginning of what is no JSON, and says where it is none. */
export function parseJson(body: string): unknown {
  if (body.trim() === '') throw new Error('answered with nothing, and not with JSON');
  try {
    return jsonOfDevice(body);
  } catch (error) {
    const beginning = quote(body);
    // What is wrong may be far behind what is quoted.
    const where = beginning === JSON.stringify(body) ? '' : ` (${reasonOf(error)})`;
    throw new Error(`answered with something that is not JSON: ${beginning}${where}`, { cause: error });
  }
}

const FIELDS = ['metric_name', 'value', 'unit', 'labels', 'device_name', 'timestamp'];

function toReading(item: unknown, timestamps: boolean): Reading {
  if (typeof item !== 'object' || item === null)
    throw new WrongReading('the mapping', `must make objects, got ${quote(item)}`);
  const { metric_name, value, unit, labels, device_name, timestamp, ...others } = item as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new WrongReading('the mapping', `makes ${quote(unknown)}; allowed are ${FIELDS.join(', ')}`);
  }
  if (typeof metric_name !== 'string') {
    throw new WrongReading('the mapping', `makes no metric_name in ${quote(item)}`);
  }
  // Many APIs write numbers as texts.
  const number = typeof value === 'string' ? parseDecimal(value.trim()) : value;
  if (typeof number !== 'number') {
    throw new WrongReading(`the value of ${metric_name}`, `must be a number, got ${quote(value)}`);
  }
  return {
    metricName: metric_name,
    ...inBaseUnit(number, isText(unit, 'unit') ? unit : undefined),
    ...(isText(device_name, 'device_name') && { deviceName: device_name }),
    ...(isSaid(labels) && { labels: textsOf(labels) }),
    ...(isSaid(timestamp) && { timestamp: timeOf(timestamp, metric_name, timestamps) }),
  };
}

function timeOf(value: unknown, metricName: string, timestamps: boolean): number {
  const part = `the timestamp of ${metricName}`;
  if (!timestamps) throw new WrongReading(part, 'is only for timestamps: source');
  const time = parseTime(value);
  if (time !== undefined) return time;
  throw new WrongReading(part, `must be Unix milliseconds or a time as in 2026-01-15T10:00:00Z, got ${quote(value)}`);
}

/** Null is what many devices and programs write for what they have not. */
const isSaid = (value: unknown): boolean => value !== undefined && value !== null;

function isText(value: unknown, field: string): value is string {
  if (!isSaid(value)) return false;
  if (typeof value === 'string') return true;
  throw new WrongReading(`the mapping's ${field}`, `must be text, got ${quote(value)}`);
}

/** Labels are text on the wire; a number or a truth value of the answer becomes the text that JSON writes for it. */
function textsOf(labels: unknown): Record<string, string> {
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) {
    throw new WrongReading("the mapping's labels", `must be an object, got ${quote(labels)}`);
  }
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [name, typeof value === 'string' ? value : quote(value)]),
  );
}
