import type { Labels } from '@device-metrics/domain';
import { from, to, type Mapping, type TagMapping } from './mapping.js';
import { CPU_MODES, memory, READ, RECEIVE, space, swap, TRANSMIT, WRITE } from './fields.js';

/** Glances says its host in this tag, and has measurements of the same names as Telegraf that are something else. */
export const isGlances = (tags: Labels): boolean => tags['hostname'] !== undefined && tags['host'] === undefined;

/** Processors: version 3 says `0.0`. */
const processor: TagMapping = (value) => ({ 'cpu.logical_number': value.replace(/\.0$/, '') });

const cpu = {
  ...Object.fromEntries(
    Object.entries(CPU_MODES).map(([field, mode]) => [
      field,
      from('%', 'system.cpu.mode.utilization', { 'cpu.mode': mode }),
    ]),
  ),
  total: from('%', 'system.cpu.utilization'),
};

/**
 * Plugins of Glances 3 and 4, in the names, units and labels of the metric catalogue. What is not here is what came since the last look, as
 * `read_bytes` of `diskio`, a threshold, or in a unit that only a text says.
 */
export const glances: Readonly<Record<string, Mapping>> = {
  cpu: { tags: {}, fields: { ...cpu, cpucore: to('system.cpu.logical.count') } },
  percpu: { tags: { cpu_number: processor }, fields: cpu },
  load: {
    tags: {},
    fields: {
      min1: to('system.cpu.load_average.1m'),
      min5: to('system.cpu.load_average.5m'),
      min15: to('system.cpu.load_average.15m'),
    },
  },
  mem: {
    tags: {},
    // `free` is what is available.
    fields: {
      total: to('system.memory.limit'),
      available: to('system.memory.linux.available'),
      used: memory('used'),
      cached: memory('cached'),
      buffers: memory('buffers'),
      percent: from('%', 'system.memory.utilization', { 'system.memory.state': 'used' }),
    },
  },
  memswap: {
    tags: {},
    fields: {
      used: swap('used'),
      free: swap('free'),
      percent: from('%', 'system.paging.utilization', { 'system.paging.state': 'used' }),
    },
  },
  fs: {
    tags: { mnt_point: 'system.filesystem.mountpoint' },
    fields: {
      size: to('system.filesystem.limit'),
      used: space('used'),
      free: space('free'),
      percent: from('%', 'system.filesystem.utilization'),
    },
  },
  diskio: {
    tags: { disk_name: 'system.device' },
    fields: {
      read_bytes_gauge: to('system.disk.io', READ),
      write_bytes_gauge: to('system.disk.io', WRITE),
      read_count_gauge: to('system.disk.operations', READ),
      write_count_gauge: to('system.disk.operations', WRITE),
    },
  },
  network: {
    tags: { interface_name: 'network.interface.name' },
    fields: {
      cumulative_rx: to('system.network.io', RECEIVE),
      cumulative_tx: to('system.network.io', TRANSMIT),
      bytes_recv_gauge: to('system.network.io', RECEIVE),
      bytes_sent_gauge: to('system.network.io', TRANSMIT),
    },
  },
  uptime: { tags: {}, fields: { seconds: to('system.uptime') } },
};
