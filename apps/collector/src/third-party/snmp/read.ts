import {
  inBaseUnit,
  like,
  matchesAny,
  metricDefinition,
  reasonOf,
  scaled,
  stateLabel,
  type Labels,
  type Reading,
} from '@device-metrics/domain';
import type { Varbind } from 'net-snmp';
import type { Parts } from '../../run/source.js';
import type { ObjectMeasure, ObjectPlace, Objects, Scalar, Table } from './objects.js';
import type { Rows } from './session.js';
import { type SnmpSession } from './session.js';
import { isThere, numberOf, textOf } from './value.js';

/**
 * Gives `parts` the readings of objects, and what of them could not be read: an object that is not there and not optional,
 * one that is no number, a column that ends with an error.
 *
 * @param exclude patterns of label values; rows of a table that have one are left out.
 * @throws Error when the device does not answer, or has nothing of what is asked for.
 */
export async function readObjects(
  session: SnmpSession,
  objects: Objects,
  exclude: readonly string[],
  parts: Parts,
): Promise<void> {
  const found = new Found(parts);
  await readScalars(session, objects.scalars, found);
  const walk = walkOnce(session, found);
  for (const table of objects.tables) await readTable(walk, table, exclude, found);
  found.end();
}

/** What a run has found, handed on as it comes: the device may stop to answer. */
class Found {
  private readings = 0;
  private first = '';
  private failures = 0;

  constructor(private readonly parts: Parts) {}

  keep(readings: readonly Reading[]): void {
    this.readings += readings.length;
    this.parts.keep(readings);
  }

  /** @param whole the reason with its object, where that is not just one after the other. */
  reject(oid: string, reason: string, whole = `${oid}: ${reason}`): void {
    if (this.failures === 0) this.first = whole;
    this.failures += 1;
    this.parts.reject(oid, reason);
  }

  /** @throws Error where there is no reading. */
  end(): void {
    if (this.readings > 0) return;
    if (this.failures === 0) throw new Error('the device answers, but has none of the objects that are asked for');
    throw new Error(this.failures === 1 ? this.first : `${this.first} (and ${this.failures - 1} parts more)`);
  }
}

async function readScalars(session: SnmpSession, scalars: readonly Scalar[], found: Found): Promise<void> {
  const oids = scalars.flatMap(({ places, otherwise }) => [...places, ...(otherwise ? [otherwise] : [])]);
  const answers = await session.get([...new Set(oids.map(({ oid }) => oid))]);
  for (const scalar of scalars) {
    const places = placesOf(scalar, (oid) => answers.get(oid));
    const numbers: Varbind[] = [];
    for (const place of places) {
      const answer = answers.get(place.oid);
      if (typeof answer === 'string') found.reject(place.oid, answer);
      else if (answer) numbers.push(answer);
    }
    const absent = scalar.places[0]?.oid ?? '';
    if (places.length === 0 && !scalar.optional) {
      found.reject(absent, 'the device has no such object', `the device has no object ${absent}`);
    }
    found.keep(bestOf(scalar, places, numbers, found));
  }
}

/** The places of a scalar that the device has, or where it refuses to say so. */
function placesOf(
  { places, otherwise }: Scalar,
  answerOf: (oid: string) => Varbind | string | undefined,
): ObjectPlace[] {
  const isAt = ({ oid }: ObjectPlace): boolean => {
    const answer = answerOf(oid);
    return typeof answer === 'string' || (answer !== undefined && isThere(answer));
  };
  const there = places.filter(isAt);
  return there.length === 0 && otherwise && isAt(otherwise) ? [otherwise] : there;
}

/** The readings of the first place that has a value, or of the one with the largest. */
function bestOf(scalar: Scalar, places: readonly ObjectPlace[], varbinds: readonly Varbind[], found: Found): Reading[] {
  let best: Reading[] = [];
  for (const varbind of varbinds) {
    const place = places.find(({ oid }) => oid === varbind.oid);
    const readings = measured({ ...scalar, ...place }, varbind, scalar.labels, found);
    if (best.length === 0 || (readings[0]?.value ?? -Infinity) > (best[0]?.value ?? Infinity)) best = readings;
    if (best.length > 0 && !scalar.largest) return best;
  }
  return best;
}

type Walk = (oid: string) => Promise<Rows>;

/** Tables may share the columns of their labels. What a column ends with, if not with its last row, is said once. */
function walkOnce(session: SnmpSession, found: Found): Walk {
  const walked = new Map<string, Promise<Rows>>();
  const walk = async (oid: string): Promise<Rows> => {
    const rows = await session.walk(oid);
    if (rows.problem !== '') found.reject(oid, rows.problem);
    return rows;
  };
  return (oid) => {
    const rows = walked.get(oid) ?? walk(oid);
    walked.set(oid, rows);
    return rows;
  };
}

async function readTable(walk: Walk, table: Table, exclude: readonly string[], found: Found): Promise<void> {
  const excluded = matchesAny(exclude.map(like));
  const firsts: Rows[] = [];
  for (const { places } of table.columns) firsts.push(await walk(places[0]?.oid ?? ''));
  const indexes = new Set(firsts.flatMap((rows) => [...rows.keys()]));
  // A row that the first place of no column has is known by its name.
  if (table.columns.some(({ places }) => places.length > 1)) {
    for (const oid of Object.values(table.labels).flatMap((oids) => (oids === 'index' ? [] : oids))) {
      for (const index of (await walk(oid)).keys()) indexes.add(index);
    }
  }
  const labelsOf = await rowLabels(walk, table, indexes);
  for (const column of table.columns) {
    const rows = await rowsOf(walk, column.places, indexes);
    const [{ oid } = { oid: '' }] = column.places;
    if (rows.size === 0 && !table.optional && firsts[table.columns.indexOf(column)]?.problem === '') {
      const oids = column.places.map((place) => place.oid).join(' or ');
      found.reject(oid, 'the device has no rows of it', `the device has no rows of ${oids}`);
    }
    const readings: Reading[] = [];
    for (const [index, { place, varbind }] of rows) {
      const labels = labelsOf(index);
      if (Object.values(labels).some(excluded)) continue;
      readings.push(...measured({ ...column, ...place }, varbind, { ...labels, ...column.labels }, found));
    }
    found.keep(readings);
  }
}

/** Each row at the first place that has it; later places are only asked where rows are missing. */
async function rowsOf(
  walk: Walk,
  places: readonly ObjectPlace[],
  indexes: ReadonlySet<string>,
): Promise<Map<string, { place: ObjectPlace; varbind: Varbind }>> {
  const rows = new Map<string, { place: ObjectPlace; varbind: Varbind }>();
  for (const place of places) {
    if (rows.size > 0 && [...indexes].every((index) => rows.has(index))) break;
    for (const [index, varbind] of await walk(place.oid)) {
      if (!rows.has(index) && !place.none?.includes(Number(varbind.value))) rows.set(index, { place, varbind });
    }
  }
  return rows;
}

/** The labels of a row; a row that another one shares its labels with has the label `index` too. */
async function rowLabels(walk: Walk, table: Table, indexes: ReadonlySet<string>): Promise<(index: string) => Labels> {
  const byLabel: [name: string, textOf: (index: string) => string][] = [];
  for (const [name, oids] of Object.entries(table.labels)) {
    byLabel.push([name, oids === 'index' ? (index) => index : await rowTexts(walk, oids, indexes)]);
  }
  const labelsOf = (index: string): Record<string, string> =>
    Object.fromEntries(byLabel.map(([name, text]) => [name, text(index)]));
  const owners = new Map<string, string>();
  const shared = new Set<string>();
  for (const index of indexes) {
    const key = JSON.stringify(labelsOf(index));
    if (owners.has(key)) shared.add(key);
    owners.set(key, index);
  }
  return (index) => {
    const labels = labelsOf(index);
    return shared.has(JSON.stringify(labels)) ? { ...labels, index } : labels;
  };
}

/** The text of a row in the first column that has one which is not empty; where none has, the index. */
async function rowTexts(
  walk: Walk,
  oids: readonly string[],
  indexes: ReadonlySet<string>,
): Promise<(index: string) => string> {
  const texts = new Map<string, string>();
  for (const oid of oids) {
    for (const [index, varbind] of await walk(oid)) {
      const text = textOf(varbind);
      if (text !== '' && !texts.has(index)) texts.set(index, text);
    }
    if ([...indexes].every((index) => texts.has(index))) break;
  }
  return (index) => texts.get(index) ?? index;
}

function measured(measure: ObjectMeasure, varbind: Varbind, labels: Labels | undefined, found: Found): Reading[] {
  const { metric, states, equals, none, scale = 1 } = measure;
  let raw: number;
  try {
    raw = numberOf(varbind, measure.as);
  } catch (error) {
    const reason = reasonOf(error);
    found.reject(varbind.oid, reason, `${varbind.oid} ${reason}`);
    return [];
  }
  if (none?.includes(raw)) return [];
  const common = { metricName: metric, ...(labels && { labels }) };
  if (states) {
    return Object.entries(states).map(([number, state]) => {
      return {
        metricName: metric,
        labels: { ...labels, [stateLabel(metric)]: state },
        value: raw === Number(number) ? 1 : 0,
      };
    });
  }
  if (equals !== undefined) return [{ ...common, value: raw === equals ? 1 : 0 }];
  const unit = measure.unit ?? metricDefinition(metric)?.unit;
  return [{ ...common, ...inBaseUnit(scaled(raw, scale), unit) }];
}
