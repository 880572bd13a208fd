import type { Labels } from '@device-metrics/domain';
import type { Section } from '../../config/section.js';
import { READ_AS, type ReadAs } from './value.js';

/** What becomes of the value of an object. */
export interface ObjectMeasure {
  readonly metric: string;
  /** Of the device; converted to the base unit. Undefined: as the metric catalogue has it. */
  readonly unit?: string | undefined;
  readonly scale?: number | undefined;
  /** Numbers by which the device says that it has no value. */
  readonly none?: readonly number[] | undefined;
  /** How the number is to be had of an octet string that is none. */
  readonly as?: ReadAs | undefined;
  readonly labels?: Labels | undefined;
  /** The value is 1 where the object has this number, and else 0. */
  readonly equals?: number | undefined;
  /** One reading for each name: 1 for the state of the number that the object has, 0 for the others, with the label of states. */
  readonly states?: Readonly<Record<string, string>> | undefined;
}

/** One place of several where a device may have a value; what it says goes before what the measure says. */
export interface ObjectPlace extends Pick<ObjectMeasure, 'scale' | 'none'> {
  /** Of an object, as 1.3.6.1.2.1.1.3.0, or of a column. */
  readonly oid: string;
}

/** One value of the device. */
export interface Scalar extends ObjectMeasure {
  /** The first that the device has counts, or the one with the largest value. */
  readonly places: readonly ObjectPlace[];
  readonly largest?: boolean;
  /** Where the device has none of the places. */
  readonly otherwise?: ObjectPlace;
  /** A device may lack it. */
  readonly optional?: boolean;
}

export interface TableColumn extends ObjectMeasure {
  /** Of several the first that the device has the row in: some have counters of 64 bits for some of their ports only. */
  readonly places: readonly ObjectPlace[];
}

/** Columns whose rows belong together by their index. */
export interface Table {
  readonly columns: readonly TableColumn[];
  /** Label by OIDs of columns, of which the first that has a text for the row counts; `index` is the index itself. */
  readonly labels: Readonly<Record<string, readonly string[] | 'index'>>;
  /** A device may lack it. */
  readonly optional?: boolean;
}

export interface Objects {
  readonly scalars: readonly Scalar[];
  readonly tables: readonly Table[];
}

const OID = /^\.?([0-2](\.\d+)+)$/;

/** The keys `oids` and `tables`. */
export function configuredObjects(keys: Section): Objects {
  return {
    scalars: keys.sections('oids').map((entry) => {
      const scalar = { places: [{ oid: oidOf(entry, 'oid') }], ...measureOf(entry) };
      entry.end();
      return scalar;
    }),
    tables: keys.sections('tables').map(tableOf),
  };
}

function tableOf(keys: Section): Table {
  const columns = keys.sections('columns').map((entry) => {
    const column = { places: [{ oid: oidOf(entry, 'oid') }], ...measureOf(entry) };
    entry.end();
    return column;
  });
  if (columns.length === 0) keys.mistake('columns', 'must have at least one column');
  const labels = keys.section('labels');
  const entries = labels.keys.map((name) => {
    return [name, labels.is(name, 'index') ? 'index' : [oidOf(labels, name)]] as const;
  });
  if (entries.length === 0) {
    keys.mistake('labels', 'must tell the rows apart: a label with the OID of a column, or with the word index');
  }
  keys.end();
  return { columns, labels: Object.fromEntries(entries) };
}

function measureOf(keys: Section): ObjectMeasure {
  const labels = keys.has('labels') ? keys.textsByName('labels') : undefined;
  const states = keys.has('states') ? keys.textsByName('states') : undefined;
  return {
    metric: keys.metricName('metric'),
    unit: keys.optionalText('unit'),
    scale: keys.number('scale', 1),
    none: keys.numbers('none'),
    as: keys.has('as') ? keys.choice('as', READ_AS, 'number-in-text') : undefined,
    labels,
    states,
  };
}

function oidOf(keys: Section, key: string): string {
  const parse = (text: string): string => {
    const oid = OID.exec(text)?.[1];
    if (oid === undefined)
      throw new Error(`must be an OID in numbers, as in 1.3.6.1.2.1.1.3.0, got ${JSON.stringify(text)}`);
    return oid;
  };
  return keys.parsed(key, parse) ?? '0.0';
}
