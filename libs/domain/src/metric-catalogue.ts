/** A gauge may go up and down; a counter only grows until it starts again at 0. */
export type MetricKind = 'gauge' | 'counter';

export interface MetricDefinition {
  /** UCUM. */
  readonly unit: string;
  readonly kind: MetricKind;
  readonly help: string;
}

const gauge = (unit: string, help: string): MetricDefinition => ({ unit, kind: 'gauge', help });
const counter = (unit: string, help: string): MetricDefinition => ({ unit, kind: 'counter', help });

/**
 * The metrics that this project itself sends, by name. Names and units follow the OpenTelemetry semantic conventions
 * (v1.44) where they have one; names of our own begin with `collector.`.
 */
export const metricCatalogue: Readonly<Record<string, MetricDefinition>> = {
  'system.cpu.utilization': gauge('1', 'Share of time that the processors were busy since the last reading.'),
  'system.cpu.logical.count': gauge('{cpu}', 'Logical processors.'),
  'system.memory.usage': gauge('By', 'Memory by state.'),
  'system.memory.utilization': gauge('1', 'Share of the memory by state.'),
  'system.memory.limit': gauge('By', 'Memory that is installed.'),
  'system.linux.memory.available': gauge('By', 'Memory that programs could claim without swapping.'),
  'system.filesystem.usage': gauge('By', 'Space of a file system by state.'),
  'system.filesystem.utilization': gauge('1', 'Share of a file system that is used.'),
  'system.filesystem.limit': gauge('By', 'Size of a file system.'),
  'system.network.io': counter('By', 'Bytes through a network interface, by direction.'),
  'system.network.errors': counter('{error}', 'Errors of a network interface, by direction.'),
  'system.network.packet.dropped': counter('{packet}', 'Packets that a network interface dropped, by direction.'),
  'system.uptime': gauge('s', 'Time since the operating system started.'),
  'hw.temperature': gauge('Cel', 'Temperature of a part of the hardware.'),
  'collector.source.success': gauge('1', '1 if the last run of a source succeeded, 0 if it failed.'),
  'collector.source.duration': gauge('s', 'How long the last run of a source took.'),
  'collector.source.readings': gauge('{reading}', 'How many readings the last run of a source gave.'),
  'collector.spool.batches': gauge('{batch}', 'Batches that wait for upload.'),
  'collector.spool.oldest_age': gauge('s', 'Age of the oldest batch that waits for upload.'),
  'collector.spool.quarantined': gauge('{batch}', 'Batches in quarantine.'),
  'collector.spool.evicted': counter('{sample}', 'Samples that a full spool gave up.'),
  'collector.upload.sent': counter('{sample}', 'Samples that the api has acknowledged.'),
  'collector.upload.failures': counter('{request}', 'Uploads that did not end in an acknowledgement.'),
};

/** The definition of a metric of the catalogue; undefined for any other name. */
export function metricDefinition(name: string): MetricDefinition | undefined {
  return Object.hasOwn(metricCatalogue, name) ? metricCatalogue[name] : undefined;
}
