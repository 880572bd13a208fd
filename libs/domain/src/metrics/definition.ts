/**
 * A gauge is a measurement that may go up and down. An updowncounter too, but it counts something, so that it can be
 * added up over things: bytes in use, processes. A counter only grows until it starts again at 0.
 */
export type MetricKind = 'gauge' | 'counter' | 'updowncounter';

/**
 * What the values of a label are to each other. `state`: states or parts that together make a whole, such as the memory
 * that is used and the memory that is free; to average over them says nothing. `thing`: things of their own, such as
 * processors, disks and directions; a series without the label tells of all of them together.
 */
export type LabelMeaning = 'state' | 'thing';

export interface LabelDefinition {
  readonly meaning: LabelMeaning;
  /** The values that this project sends, in the order in which a person lists them; undefined where they are names. */
  readonly values?: readonly string[];
}

/**
 * What a person means who asks for one number of a metric, of each thing:
 * - `value`: the value itself.
 * - `rate`: what it grew per second; over states, the sum of their rates.
 * - `share`: the part that `states` have in the sum over all states, from 0 to 1; of a counter, in what they grew.
 * - `sum`: the sum over `states`, or over all of them where none are named.
 * - `state`: no number: the state that has the value 1.
 */
export type OneNumber =
  | { readonly as: 'value' | 'rate' | 'state' }
  | { readonly as: 'share'; readonly states: readonly string[] }
  | { readonly as: 'sum'; readonly states?: readonly string[] };

export interface MetricDefinition {
  /** UCUM. */
  readonly unit: string;
  readonly kind: MetricKind;
  readonly help: string;
  /** The names of the labels that it may have; each is in `labelCatalogue`. */
  readonly labels: readonly string[];
  readonly oneNumber: OneNumber;
}

/** Metrics by name. */
export type Metrics = Readonly<Record<string, MetricDefinition>>;

type Define = (unit: string, help: string, labels?: readonly string[], oneNumber?: OneNumber) => MetricDefinition;

const define =
  (kind: MetricKind, usual: OneNumber): Define =>
  (unit, help, labels = [], oneNumber = usual) => ({ unit, kind, help, labels, oneNumber });

export const gauge = define('gauge', { as: 'value' });
export const updowncounter = define('updowncounter', { as: 'value' });
export const counter = define('counter', { as: 'rate' });
