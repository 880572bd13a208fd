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
  'system.cpu.time': counter('s', 'Time that a processor spent in each mode.'),
  'system.cpu.logical.count': gauge('{cpu}', 'Logical processors.'),
  'system.cpu.frequency': gauge('Hz', 'Frequency of a processor.'),
  'system.cpu.load_average.1m': gauge('{thread}', 'Threads that ran or waited to, mean of 1 minute.'),
  'system.cpu.load_average.5m': gauge('{thread}', 'Threads that ran or waited to, mean of 5 minutes.'),
  'system.cpu.load_average.15m': gauge('{thread}', 'Threads that ran or waited to, mean of 15 minutes.'),
  'system.memory.usage': gauge('By', 'Memory by state.'),
  'system.memory.utilization': gauge('1', 'Share of the memory by state.'),
  'system.memory.limit': gauge('By', 'Memory that is installed.'),
  'system.memory.linux.available': gauge('By', 'Memory that programs could claim without swapping.'),
  'system.paging.usage': gauge('By', 'Swap space by state.'),
  'system.paging.utilization': gauge('1', 'Share of the swap space by state.'),
  'system.paging.faults': counter('{fault}', 'Page faults, by type.'),
  'system.paging.operations': counter('{operation}', 'Pages swapped in and out.'),
  'system.filesystem.usage': gauge('By', 'Space of a file system by state.'),
  'system.filesystem.utilization': gauge('1', 'Share of a file system that is used.'),
  'system.filesystem.limit': gauge('By', 'Size of a file system.'),
  'system.filesystem.inodes.usage': gauge('{inode}', 'Inodes of a file system by state.'),
  'system.disk.io': counter('By', 'Bytes read from and written to a disk.'),
  'system.disk.operations': counter('{operation}', 'Reads and writes of a disk.'),
  'system.disk.merged': counter('{operation}', 'Reads and writes that the system merged into others.'),
  'system.disk.operation_time': counter('s', 'Time that reads and writes of a disk took, summed.'),
  'system.disk.io_time': counter('s', 'Time that a disk was busy.'),
  'system.network.io': counter('By', 'Bytes through a network interface, by direction.'),
  'system.network.packet.count': counter('{packet}', 'Packets through a network interface, by direction.'),
  'system.network.errors': counter('{error}', 'Errors of a network interface, by direction.'),
  'system.network.packet.dropped': counter('{packet}', 'Packets that a network interface dropped, by direction.'),
  'system.uptime': gauge('s', 'Time since the operating system started.'),
  'system.boot_time': gauge('s', 'When the operating system started, Unix time.'),
  'system.process.count': gauge('{process}', 'Processes by status.'),
  'system.process.created': counter('{process}', 'Processes and threads that were ever started.'),
  'system.user.count': gauge('{user}', 'Sessions of logged-in users.'),
  'process.cpu.utilization': gauge('1', 'Share of all processors that a program used since the last reading.'),
  'process.cpu.time': counter('s', 'Processor time of a program, by mode.'),
  'process.memory.usage': gauge('By', 'Physical memory of a program.'),
  'systemd.unit.state': gauge('1', '1 for the state that a systemd unit is in, 0 for the others.'),
  'container.cpu.time': counter('s', 'Processor time of a container.'),
  'container.memory.usage': gauge('By', 'Memory of a container.'),
  'container.network.io': counter('By', 'Bytes through the network of a container, by direction.'),
  'container.disk.io': counter('By', 'Bytes that a container read and wrote.'),
  'container.uptime': gauge('s', 'Time since a container started.'),
  'hw.temperature': gauge('Cel', 'Temperature of a part of the hardware.'),
  'hw.fan.speed': gauge('rpm', 'Speed of a fan.'),
  'hw.battery.charge': gauge('1', 'Charge of a battery.'),
  'hw.battery.time_left': gauge('s', 'Time until a battery is empty or full.'),
  'hw.status': gauge('1', '1 for the state that a part of the hardware is in, 0 for the others.'),
  'hw.power': gauge('W', 'Power that a part of the hardware takes.'),
  'hw.gpu.utilization': gauge('1', 'Share of time that a graphics processor was busy.'),
  'hw.gpu.memory.usage': gauge('By', 'Memory of a graphics processor that is in use.'),
  'hw.gpu.memory.limit': gauge('By', 'Memory of a graphics processor.'),
  'collector.source.success': gauge('1', '1 if the last run of a source succeeded, 0 if it failed.'),
  'collector.source.duration': gauge('s', 'How long the last run of a source took.'),
  'collector.source.readings': gauge('{reading}', 'How many readings the last run of a source gave.'),
  'collector.spool.batches': gauge('{batch}', 'Batches that wait for upload.'),
  'collector.spool.samples': gauge('{sample}', 'Samples that wait for upload.'),
  'collector.spool.size': gauge('By', 'Compressed size of everything in the spool.'),
  'collector.spool.oldest_age': gauge('s', 'Age of the oldest batch that waits for upload.'),
  'collector.spool.quarantined': gauge('{batch}', 'Batches in quarantine.'),
  'collector.spool.evicted': counter('{sample}', 'Samples that a full spool gave up.'),
  'collector.upload.sent': counter('{sample}', 'Samples that the api has acknowledged.'),
  'collector.upload.failures': counter('{request}', 'Uploads that did not end in an acknowledgement.'),
  'hw.network.up': gauge('1', '1 while a network interface of a device is up.'),
  'hw.network.bandwidth.limit': gauge('By/s', 'Speed of a network interface of a device.'),
  'hw.voltage': gauge('V', 'Voltage at a part of the hardware.'),
  'hw.current': gauge('A', 'Current through a part of the hardware.'),
  'hw.frequency': gauge('Hz', 'Frequency of the mains at a part of the hardware.'),
  'hw.energy': counter('J', 'Energy that a part of the hardware has taken.'),
  'hw.ups.utilization': gauge('1', 'Share of its power that a UPS gives.'),
  'hw.ups.on_battery.time': gauge('s', 'Time since a UPS switched to its battery; 0 on mains.'),
  'hw.ups.alarms': gauge('{alarm}', 'Alarms that a UPS has.'),
  'device.online': gauge('1', '1 while a device says that it is there, 0 from its last will on.'),
};

/** The definition of a metric of the catalogue; undefined for any other name. */
export function metricDefinition(name: string): MetricDefinition | undefined {
  return Object.hasOwn(metricCatalogue, name) ? metricCatalogue[name] : undefined;
}
