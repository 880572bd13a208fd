import type { Labels } from '@device-metrics/domain';
import { memory, READ, RECEIVE, space, swap, TRANSMIT, WRITE } from './fields.js';
import { from, to, type Mapping } from './mapping.js';

/** Nodes, guests and storages of Proxmox VE, and the host of a Proxmox Backup Server. */
const OBJECTS = new Set(['nodes', 'qemu', 'lxc', 'storages', 'host']);

export const isProxmox = (tags: Labels): boolean => OBJECTS.has(tags['object'] ?? '');

const machine: Mapping = {
  tags: {},
  fields: {
    cpu: to('system.cpu.utilization'),
    cpus: to('system.cpu.logical.count'),
    wait: to('system.cpu.mode.utilization', { 'cpu.mode': 'iowait' }),
    iowait_percent: to('system.cpu.mode.utilization', { 'cpu.mode': 'iowait' }),
    avg1: to('system.cpu.load_average.1m'),
    avg5: to('system.cpu.load_average.5m'),
    avg15: to('system.cpu.load_average.15m'),
    uptime: to('system.uptime'),
    mem: memory('used'),
    memused: memory('used'),
    memfree: memory('free'),
    maxmem: to('system.memory.limit'),
    memtotal: to('system.memory.limit'),
    memavailable: to('system.memory.linux.available'),
    swapused: swap('used'),
    swapfree: swap('free'),
    netin: to('system.network.io', RECEIVE),
    netout: to('system.network.io', TRANSMIT),
    diskread: to('system.disk.io', READ),
    diskwrite: to('system.disk.io', WRITE),
  },
};

/** Interfaces of a node; those of guests have other fields, and their sum beside them. */
const interfaces: Mapping = {
  tags: { instance: 'network.interface.name' },
  fields: {
    receive: to('system.network.io', RECEIVE),
    transmit: to('system.network.io', TRANSMIT),
    send: to('system.network.io', TRANSMIT),
  },
};

const storage: Mapping = {
  tags: {},
  fields: {
    total: to('system.filesystem.limit'),
    used: space('used'),
    avail: space('free'),
    read_bytes: to('system.disk.io', READ),
    write_bytes: to('system.disk.io', WRITE),
    read_ios: to('system.disk.operations', READ),
    write_ios: to('system.disk.operations', WRITE),
    io_ticks: to('system.disk.io_time'),
  },
};

const ROOT = { 'system.filesystem.mountpoint': '/' };

/** The file system that a machine runs from: fields of Proxmox VE, and those of the backup server. */
const root: Mapping = {
  tags: {},
  fields: {
    ...storage.fields,
    blocks: to('system.filesystem.limit', ROOT),
    total: to('system.filesystem.limit', ROOT),
    used: to('system.filesystem.usage', { ...ROOT, 'system.filesystem.state': 'used' }),
    avail: to('system.filesystem.usage', { ...ROOT, 'system.filesystem.state': 'free' }),
    bavail: to('system.filesystem.usage', { ...ROOT, 'system.filesystem.state': 'free' }),
    per: from('%', 'system.filesystem.utilization', ROOT),
  },
};

/** What the lines of a measurement become; undefined where they stay as they are. */
export function proxmox(measurement: string, { object, datastore }: Labels): Mapping | undefined {
  if (object === 'storages') return storage;
  const isHost = object === 'nodes' || object === 'host';
  switch (measurement) {
    case 'system':
    case 'cpustat':
    case 'memory':
      return machine;
    case 'nics':
      return isHost ? interfaces : undefined;
    case 'blockstat':
      if (!isHost) return undefined;
      return datastore === undefined ? root : storage;
    default:
      return undefined;
  }
}
