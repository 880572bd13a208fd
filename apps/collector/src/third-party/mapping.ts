import { setImmediate } from 'node:timers/promises';
import { inBaseUnit, quote, type Reading } from '@device-metrics/domain';
import jsonata, { type Expression } from 'jsonata';

export type Mapping = Expression;

/** How long a mapping may take, ms, and how deep its calls may go. */
const LONGEST = 5_000;
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
    const mapping = jsonata(text, { timeout: longest, stack: DEEPEST });
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

/**
 * The readings that a mapping makes of an answer.
 *
 * @throws Error when the answer is no JSON, or the mapping makes something else of it than readings.
 */
export async function readingsOf(body: string, mapping: Mapping): Promise<Reading[]> {
  const answer = parseJson(body);
  const result: unknown = await mapping.evaluate(answer).catch((error: { message?: string }) => {
    throw new Error(`the mapping does not fit the answer: ${error.message}`, { cause: error });
  });
  if (result === undefined) throw new Error(`the mapping finds nothing in the answer ${quote(answer)}`);
  return (Array.isArray(result) ? result : [result]).map(toReading);
}

/** @throws Error that quotes the beginning of what is no JSON. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new Error(`answered with something that is not JSON: ${quote(body)}`);
  }
}

const FIELDS = ['metric_name', 'value', 'unit', 'labels', 'device_name'];

function toReading(item: unknown): Reading {
  if (typeof item !== 'object' || item === null) throw new Error(`the mapping must make objects, got ${quote(item)}`);
  const { metric_name, value, unit, labels, device_name, ...others } = item as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new Error(`the mapping makes ${quote(unknown)}; allowed are ${FIELDS.join(', ')}`);
  if (typeof metric_name !== 'string') throw new Error(`the mapping makes no metric_name in ${quote(item)}`);
  if (typeof value !== 'number') throw new Error(`the value of ${metric_name} must be a number, got ${quote(value)}`);
  return {
    metricName: metric_name,
    ...inBaseUnit(value, isText(unit, 'unit') ? unit : undefined),
    ...(isText(device_name, 'device_name') && { deviceName: device_name }),
    ...(labels !== undefined && { labels: textsOf(labels) }),
  };
}

function isText(value: unknown, field: string): value is string {
  if (value === undefined || typeof value === 'string') return value !== undefined;
  throw new Error(`the mapping's ${field} must be text, got ${quote(value)}`);
}

/** Labels are text on the wire; a number or a truth value of the answer becomes the text that JSON writes for it. */
function textsOf(labels: unknown): Record<string, string> {
  if (typeof labels !== 'object' || labels === null || Array.isArray(labels)) {
    throw new Error(`the mapping's labels must be an object, got ${quote(labels)}`);
  }
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [name, typeof value === 'string' ? value : quote(value)]),
  );
}
