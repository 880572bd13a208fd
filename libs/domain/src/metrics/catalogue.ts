import type { Labels } from '../sample.js';
import { conversionBetween, type Conversion } from '../units.js';
import { collectorMetrics } from './collector.js';
import type { LabelMeaning, MetricDefinition, MetricKind, Metrics, OneNumber } from './definition.js';
import { hardwareMetrics } from './hardware.js';
import { labelCatalogue } from './labels.js';
import { systemMetrics } from './system.js';
import { saidKind } from './said-kinds.js';

/**
 * The metrics that this project itself sends, by name. Names, units, kinds and labels follow the OpenTelemetry semantic
 * conventions (v1.44) where they have one; names of our own begin with `collector.`.
 */
export const metricCatalogue: Metrics = { ...systemMetrics, ...hardwareMetrics, ...collectorMetrics };

const definitions = new Map(Object.entries(metricCatalogue));

/** The definition of a metric of the catalogue; undefined for any other name. */
export const metricDefinition = (name: string): MetricDefinition | undefined => definitions.get(name);

/** What makes numbers in the unit of the catalogue ones in another; undefined where they are the same, or nobody knows how. */
export function fromCatalogueUnit(metricName: string, unit: string | null): Conversion | undefined {
  const own = unit === null ? undefined : metricDefinition(metricName)?.unit;
  return own === undefined || unit === null || own === unit ? undefined : conversionBetween(own, unit);
}

/** By the catalogue, by what a sender said, or by the name that Prometheus gives to a counter; else a gauge. */
export const metricKind = (name: string): MetricKind =>
  metricDefinition(name)?.kind ?? saidKind(name) ?? (name.endsWith('_total') ? 'counter' : 'gauge');

/** What a person means who asks for one number of a metric; for any metric, not only those of the catalogue. */
export const oneNumber = (name: string): OneNumber =>
  metricDefinition(name)?.oneNumber ?? { as: metricKind(name) === 'counter' ? 'rate' : 'value' };

/** Whether the values of a label of a metric are states of a whole; what is not known to be tells things apart. */
export function labelMeaning(metricName: string, label: string): LabelMeaning {
  if (Object.hasOwn(labelCatalogue, label)) return labelCatalogue[label]?.meaning ?? 'thing';
  // So the label was called before the conventions gave it a namespace, and many collectors call it so still.
  if (label === 'state' && (metricDefinition(metricName)?.labels ?? []).some(isState)) return 'state';
  return 'thing';
}

/** Those labels of a series that name a state, rather than a thing. */
export const stateLabels = (metricName: string, labels: Labels): string[] =>
  Object.keys(labels).filter((label) => labelMeaning(metricName, label) === 'state');

/** The label that names the state of a metric that gives one reading for each state. */
export const stateLabel = (metricName: string): string => metricDefinition(metricName)?.labels.find(isState) ?? 'state';

const isState = (label: string): boolean => labelCatalogue[label]?.meaning === 'state';
