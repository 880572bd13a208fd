import type { Labels } from '@device-metrics/domain';
import { CPU_MODES, memory, READ, RECEIVE, space, swap, TRANSMIT, WRITE } from './fields.js';
import { dropped, from, scaledTo, to, unless, type FieldMapping, type Mapping, type TagMapping } from './mapping.js';

/** Processors: `cpu-total` is all of them, `cpu3` one. */
const processor: TagMapping = (value) =>
  value === 'cpu-total' ? {} : { 'cpu.logical_number': value.replace(/^cpu(?=\d+$)/, '') };

const modes = (of: (field: string, mode: string) => [string, FieldMapping]): Record<string, FieldMapping> =>
  Object.fromEntries(Object.entries(CPU_MODES).map(([field, mode]) => of(field, mode)));

const inodes = (state: string): FieldMapping =>
  to('system.filesystem.inodes.usage', { 'system.filesystem.state': state });

const used = (metric: string): FieldMapping => from('%', metric);

const CONTAINER: Record<string, TagMapping> = {
  container_name: 'container.name',
  container_image: 'container.image.name',
  container_version: 'container.image.tag',
  // It changes, and would begin another series each time.
  container_status: dropped,
  server_version: dropped,
};

const INTERFACE = 'network.interface.name';

const packets = (direction: Labels, cast: string): FieldMapping =>
  to('system.network.packet.count', { ...direction, cast });

/** IF-MIB, as the plugin `snmp` names its columns. Of packets and bytes only counters of 64 bits: those of 32 would be the same series. */
const interfaces: Mapping = {
  tags: { ifDescr: INTERFACE, ifName: INTERFACE, ifIndex: dropped },
  fields: {
    ifHCInOctets: to('system.network.io', RECEIVE),
    ifHCOutOctets: to('system.network.io', TRANSMIT),
    ifHCInUcastPkts: packets(RECEIVE, 'unicast'),
    ifHCInMulticastPkts: packets(RECEIVE, 'multicast'),
    ifHCInBroadcastPkts: packets(RECEIVE, 'broadcast'),
    ifHCOutUcastPkts: packets(TRANSMIT, 'unicast'),
    ifHCOutMulticastPkts: packets(TRANSMIT, 'multicast'),
    ifHCOutBroadcastPkts: packets(TRANSMIT, 'broadcast'),
    ifInErrors: to('system.network.errors', RECEIVE),
    ifOutErrors: to('system.network.errors', TRANSMIT),
    ifInDiscards: to('system.network.packet.dropped', RECEIVE),
    ifOutDiscards: to('system.network.packet.dropped', TRANSMIT),
    ifHighSpeed: { ...scaledTo('By/s', 125_000, 'hw.network.bandwidth.limit'), renamed: { [INTERFACE]: 'hw.id' } },
  },
};

/** Of SNMP, in hundredths of a second. */
const upFor = scaledTo('s', 0.01, 'system.uptime');

/** Measurements of Telegraf's plugins, in the names, units and labels of the metric catalogue. */
export const telegraf: Readonly<Record<string, Mapping>> = {
  cpu: {
    tags: { cpu: processor },
    fields: {
      ...modes((field, mode) => [`usage_${field}`, from('%', 'system.cpu.mode.utilization', { 'cpu.mode': mode })]),
      ...modes((field, mode) => [`time_${field}`, to('system.cpu.time', { 'cpu.mode': mode })]),
      time_idle: to('system.cpu.time', { 'cpu.mode': 'idle' }),
      // What is not idle is busy: `usage_active`, which says the same, is rarely sent.
      usage_idle: { metric: 'system.cpu.utilization', conversion: { unit: '1', factor: -0.01, offset: 1 } },
      usage_active: used('system.cpu.utilization'),
    },
  },
  mem: {
    tags: {},
    fields: {
      total: to('system.memory.limit'),
      available: to('system.memory.linux.available'),
      used: memory('used'),
      free: memory('free'),
      cached: memory('cached'),
      buffered: memory('buffers'),
      used_percent: from('%', 'system.memory.utilization', { 'system.memory.state': 'used' }),
    },
  },
  swap: {
    tags: {},
    fields: {
      used: swap('used'),
      free: swap('free'),
      used_percent: from('%', 'system.paging.utilization', { 'system.paging.state': 'used' }),
    },
  },
  disk: {
    tags: {
      device: 'system.device',
      path: 'system.filesystem.mountpoint',
      fstype: 'system.filesystem.type',
      mode: 'system.filesystem.mode',
    },
    fields: {
      total: to('system.filesystem.limit'),
      used: space('used'),
      free: space('free'),
      used_percent: used('system.filesystem.utilization'),
      inodes_used: inodes('used'),
      inodes_free: inodes('free'),
    },
  },
  diskio: {
    tags: { name: 'system.device', serial: 'hw.id' },
    fields: {
      read_bytes: to('system.disk.io', READ),
      write_bytes: to('system.disk.io', WRITE),
      reads: to('system.disk.operations', READ),
      writes: to('system.disk.operations', WRITE),
      merged_reads: to('system.disk.merged', READ),
      merged_writes: to('system.disk.merged', WRITE),
      read_time: from('ms', 'system.disk.operation_time', READ),
      write_time: from('ms', 'system.disk.operation_time', WRITE),
      io_time: from('ms', 'system.disk.io_time'),
    },
  },
  net: {
    tags: { interface: unless('all', INTERFACE) },
    fields: {
      bytes_recv: to('system.network.io', RECEIVE),
      bytes_sent: to('system.network.io', TRANSMIT),
      packets_recv: to('system.network.packet.count', RECEIVE),
      packets_sent: to('system.network.packet.count', TRANSMIT),
      err_in: to('system.network.errors', RECEIVE),
      err_out: to('system.network.errors', TRANSMIT),
      drop_in: to('system.network.packet.dropped', RECEIVE),
      drop_out: to('system.network.packet.dropped', TRANSMIT),
    },
  },
  system: {
    tags: {},
    fields: {
      load1: to('system.cpu.load_average.1m'),
      load5: to('system.cpu.load_average.5m'),
      load15: to('system.cpu.load_average.15m'),
      n_cpus: to('system.cpu.logical.count'),
      n_users: to('system.user.count'),
      uptime: to('system.uptime'),
    },
  },
  temp: { tags: { sensor: 'hw.id' }, fields: { temp: to('hw.temperature') } },
  sensors: {
    tags: { chip: 'hw.parent', feature: 'hw.id' },
    fields: {
      temp_input: to('hw.temperature'),
      temp_max: to('hw.temperature.limit', { 'hw.limit_type': 'high.degraded' }),
      temp_crit: to('hw.temperature.limit', { 'hw.limit_type': 'high.critical' }),
      fan_input: to('hw.fan.speed'),
      in_input: to('hw.voltage'),
      curr_input: to('hw.current'),
      power_input: to('hw.power'),
      power_average: scaledTo('W', 1, 'hw.power.mean'),
    },
  },
  docker_container_cpu: {
    tags: { ...CONTAINER, cpu: processor },
    fields: {
      usage_in_usermode: from('ns', 'container.cpu.time', { 'cpu.mode': 'user' }),
      usage_in_kernelmode: from('ns', 'container.cpu.time', { 'cpu.mode': 'system' }),
      usage_percent: scaledTo('{cpu}', 0.01, 'container.cpu.usage'),
    },
  },
  docker_container_mem: {
    tags: CONTAINER,
    fields: {
      usage: to('container.memory.usage'),
      limit: to('container.memory.limit'),
      usage_percent: used('container.memory.utilization'),
    },
  },
  docker_container_net: {
    tags: { ...CONTAINER, network: unless('total', INTERFACE) },
    fields: {
      rx_bytes: to('container.network.io', RECEIVE),
      tx_bytes: to('container.network.io', TRANSMIT),
    },
  },
  docker_container_blkio: {
    tags: { ...CONTAINER, device: unless('total', 'system.device') },
    fields: {
      io_service_bytes_recursive_read: to('container.disk.io', READ),
      io_service_bytes_recursive_write: to('container.disk.io', WRITE),
    },
  },
  docker_container_status: { tags: CONTAINER, fields: { uptime_ns: from('ns', 'container.uptime') } },
  docker_container_health: { tags: CONTAINER, fields: {} },
  snmp: {
    tags: {},
    fields: { uptime: upFor, sysUpTime: upFor, sysUpTimeInstance: upFor },
  },
  interface: interfaces,
  ifTable: interfaces,
  ifXTable: interfaces,
  ping: {
    tags: { url: 'server.address' },
    fields: {
      average_response_ms: from('ms', 'ping.duration.mean'),
      minimum_response_ms: from('ms', 'ping.duration.min'),
      maximum_response_ms: from('ms', 'ping.duration.max'),
      standard_deviation_ms: from('ms', 'ping.duration.stddev'),
      percent_packet_loss: used('ping.packet_loss'),
      packets_transmitted: scaledTo('{packet}', 1, 'ping.packets.transmitted'),
      packets_received: scaledTo('{packet}', 1, 'ping.packets.received'),
    },
  },
};
