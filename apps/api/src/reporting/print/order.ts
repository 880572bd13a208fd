import { metricCatalogue } from '@device-metrics/domain';
import type { Metric } from './figures.js';

/** What a person looks for first. */
const FIRST = ['system.cpu.utilization', 'system.memory.utilization', 'system.filesystem.utilization'];

const PLACES: ReadonlyMap<string, number> = new Map(
  [...new Set([...FIRST, ...Object.keys(metricCatalogue)])].map((name, index) => [name, index]),
);

/** The order of a page: how busy and how full it is, the rest of the catalogue, names of others, what the collector says of itself. */
export function inPrintOrder(metrics: readonly Metric[]): Metric[] {
  return metrics.toSorted(
    (a, b) => Number(isOwn(a)) - Number(isOwn(b)) || placeOf(a) - placeOf(b) || (a.name < b.name ? -1 : 1),
  );
}

const placeOf = ({ name }: Metric): number => PLACES.get(name) ?? PLACES.size;

/** Whether it is of the collector rather than of the device. */
const isOwn = ({ name, lines }: Metric): boolean =>
  name.startsWith('collector.') || lines.every(({ labels }) => Object.hasOwn(labels, 'service.name'));
