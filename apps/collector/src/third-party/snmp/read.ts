import {
  inBaseUnit,
  like,
  matchesAny,
  metricDefinition,
  scaled,
  stateLabel,
  type Labels,
  type Reading,
} from '@device-metrics/domain';
import type { Varbind } from 'net-snmp';
import type { Measure, Objects, Table } from './objects.js';
import type { SnmpSession } from './session.js';
import { isThere, numberOf, textOf } from './value.js';

/**
 * The readings of objects.
 *
 * @param exclude patterns of label values; rows of a table that have one are left out.
 * @throws Error when the device does not answer, lacks an object that is not optional, or has none at all.
 */
export async function readObjects(
  session: SnmpSession,
  objects: Objects,
  exclude: readonly string[],
): Promise<Reading[]> {
  const readings = await readScalars(session, objects);
  const walk = walkOnce(session);
  for (const table of objects.tables) readings.push(...(await readTable(walk, table, exclude)));
  if (readings.length === 0) throw new Error('the device answers, but has none of the objects that are asked for');
  return readings;
}

async function readScalars(session: SnmpSession, { scalars }: Objects): Promise<Reading[]> {
  const varbinds = await session.get(scalars.map(({ oid }) => oid));
  return scalars.flatMap((scalar, index) => {
    const varbind = varbinds[index];
    if (varbind && isThere(varbind)) return measured(scalar, varbind, scalar.labels);
    if (scalar.optional) return [];
    throw new Error(`the device has no object ${scalar.oid}`);
  });
}

type Walk = SnmpSession['walk'];

/** Tables may share the columns of their labels. */
function walkOnce(session: SnmpSession): Walk {
  const walked = new Map<string, ReturnType<Walk>>();
  return (oid) => {
    const rows = walked.get(oid) ?? session.walk(oid);
    walked.set(oid, rows);
    return rows;
  };
}

async function readTable(walk: Walk, table: Table, exclude: readonly string[]): Promise<Reading[]> {
  const excluded = matchesAny(exclude.map(like));
  const readings: Reading[] = [];
  const labelsOf = await rowLabels(walk, table);
  for (const column of table.columns) {
    const rows = await walkFirst(walk, column.oids);
    if (rows.size === 0 && !table.optional) throw new Error(`the device has no rows of ${column.oids.join(' or ')}`);
    for (const [index, varbind] of rows) {
      const labels = labelsOf(index);
      if (Object.values(labels).some(excluded)) continue;
      readings.push(...measured(column, varbind, { ...labels, ...column.labels }));
    }
  }
  return readings;
}

async function walkFirst(walk: Walk, oids: readonly string[]): Promise<Map<string, Varbind>> {
  for (const oid of oids) {
    const rows = await walk(oid);
    if (rows.size > 0) return rows;
  }
  return new Map();
}

/** The labels of a row; a row that another one shares its labels with has the label `index` too. */
async function rowLabels(walk: Walk, table: Table): Promise<(index: string) => Labels> {
  const byLabel: [name: string, rows: Map<string, Varbind> | 'index'][] = [];
  for (const [name, oids] of Object.entries(table.labels)) {
    byLabel.push([name, oids === 'index' ? 'index' : await walkFirst(walk, oids)]);
  }
  const labelsOf = (index: string): Record<string, string> =>
    Object.fromEntries(
      byLabel.map(([name, rows]) => {
        const varbind = rows === 'index' ? undefined : rows.get(index);
        return [name, varbind ? textOf(varbind) : index];
      }),
    );
  const owners = new Map<string, string>();
  const shared = new Set<string>();
  for (const index of new Set(byLabel.flatMap(([, rows]) => (rows === 'index' ? [] : [...rows.keys()])))) {
    const key = JSON.stringify(labelsOf(index));
    if (owners.has(key)) shared.add(key);
    owners.set(key, index);
  }
  return (index) => {
    const labels = labelsOf(index);
    return shared.has(JSON.stringify(labels)) ? { ...labels, index } : labels;
  };
}

function measured(measure: Measure, varbind: Varbind, labels: Labels | undefined): Reading[] {
  const { metric, states, equals, scale = 1 } = measure;
  const raw = numberOf(varbind);
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
