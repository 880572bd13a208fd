import { toBaseUnit, type Conversion, type Labels } from '@device-metrics/domain';

/** What a field becomes. */
export interface FieldMapping {
  readonly metric: string;
  /** Those that it adds to the labels of its tags. */
  readonly labels?: Labels;
  /** What makes values of the metric of those that are sent, and its unit; left out: as it is, in the catalogue's unit. */
  readonly conversion?: Conversion;
  /** Labels that have another name for this field. */
  readonly renamed?: Readonly<Record<string, string>>;
}

/** What becomes of a tag: a label of this name, or whatever labels its value means. */
export type TagMapping = string | ((value: string) => Labels);

/** What the lines of a measurement become. Tags and fields that it does not name stay as they are sent. */
export interface Mapping {
  readonly tags: Readonly<Record<string, TagMapping>>;
  readonly fields: Readonly<Record<string, FieldMapping>>;
}

/** A field that becomes the metric in the unit of the catalogue. */
export const to = (metric: string, labels?: Labels): FieldMapping => ({ metric, ...(labels && { labels }) });

/** A field in a unit that devices use, such as `%` or `ms`, which becomes the metric in its base unit. */
export const from = (unit: string, metric: string, labels?: Labels): FieldMapping => ({
  ...to(metric, labels),
  conversion: toBaseUnit(unit),
});

/** A field of which one step is `factor` of the unit. */
export const scaledTo = (unit: string, factor: number, metric: string, labels?: Labels): FieldMapping => ({
  ...to(metric, labels),
  conversion: { unit, factor, offset: 0 },
});

/** A tag that says nothing, or changes what must stay the same series. */
export const dropped: TagMapping = () => ({});

/** A tag that becomes a label, unless it has a value that means all of them. */
export const unless =
  (all: string, label: string): TagMapping =>
  (value) =>
    value === all ? {} : { [label]: value };
