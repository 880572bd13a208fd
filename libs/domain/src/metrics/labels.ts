import type { LabelDefinition } from './definition.js';

const thing: LabelDefinition = { meaning: 'thing' };
const things = (...values: string[]): LabelDefinition => ({ meaning: 'thing', values });
const states = (...values: string[]): LabelDefinition => ({ meaning: 'state', values });

/**
 * The labels of the catalogue's metrics, by name; those of the OpenTelemetry semantic conventions (v1.44) where they have
 * one.
 */
export const labelCatalogue: Readonly<Record<string, LabelDefinition>> = {
  'cpu.logical_number': thing,
  'cpu.mode': states('user', 'nice', 'system', 'interrupt', 'softirq', 'steal', 'iowait', 'idle'),
  'system.memory.state': states('used', 'cached', 'buffers', 'free'),
  'system.paging.state': states('used', 'free'),
  'system.paging.fault.type': states('major', 'minor'),
  'system.paging.direction': things('in', 'out'),
  'system.device': thing,
  /** Whether a disk is made of others or of their partitions (`dm`, `md`): a sum counts those with `false`. */
  'system.device.stacked': things('false', 'true'),
  'system.linux.pressure.resource': things('cpu', 'memory', 'io', 'irq'),
  /** `full`: nobody got on; it is a part of `some`, when somebody waited. */
  'system.linux.pressure.type': things('some', 'full'),
  'system.filesystem.mountpoint': thing,
  'system.filesystem.type': thing,
  'system.filesystem.mode': things('rw', 'ro'),
  'system.filesystem.state': states('used', 'reserved', 'free'),
  'disk.io.direction': things('read', 'write'),
  'network.interface.name': thing,
  'network.io.direction': things('receive', 'transmit'),
  /** Of SNMP's IF-MIB; parts of all packets. */
  cast: states('unicast', 'multicast', 'broadcast'),
  'process.state': states('running', 'sleeping', 'disk_sleep', 'idle', 'stopped', 'defunct', 'other'),
  'process.executable.name': thing,
  /** Of what a program of this project says of itself. */
  'service.name': thing,
  'service.version': thing,
  'systemd.unit.name': thing,
  'systemd.unit.active_state': states('active', 'reloading', 'inactive', 'failed', 'activating', 'deactivating'),
  'container.name': thing,
  'container.state': states('created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'),
  'container.health.state': states('starting', 'healthy', 'unhealthy'),
  'hw.id': thing,
  'hw.name': thing,
  'hw.parent': thing,
  'hw.type': thing,
  'hw.sensor_location': thing,
  /** Each type of hardware has its own. */
  'hw.state': { meaning: 'state' },
  'hw.limit_type': thing,
  'hw.physical_disk.smart_attribute': thing,
  'hw.physical_disk.state': things('remaining'),
  'error.type': thing,
  'hw.battery.state': things('charging', 'discharging'),
  /** A phase of a UPS or a meter. */
  line: thing,
  /** Of the collector. */
  source: thing,
};
