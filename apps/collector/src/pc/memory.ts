import type { Reading } from '@device-metrics/domain';
import type { Systeminformation } from 'systeminformation';
import type { PcGroup } from './group.js';
import type { Machine } from './machine.js';

export const memory: PcGroup = {
  name: 'memory',
  metrics: [
    'system.memory.usage',
    'system.memory.utilization',
    'system.memory.limit',
    'system.memory.linux.available',
    'system.paging.usage',
    'system.paging.utilization',
    'system.paging.faults',
    'system.paging.operations',
  ],
  startsProgram: 'outside Linux',
  configure: () => (machine) => async () => {
    if (machine.platform !== 'linux') return memoryReadings(fromSystemInformation(await machine.si.mem()));
    const meminfo = parseMeminfo(await machine.read('proc/meminfo'), reclaimableArc(machine));
    return [...memoryReadings(meminfo), ...pagingReadings(await machine.read('proc/vmstat'))];
  },
};

/** Bytes. */
interface Memory {
  readonly total: number;
  /** What a program could claim without swapping; at most `total`. Linux: MemAvailable of /proc/meminfo, and ZFS's cache. */
  readonly available: number;
  /** What of it is not used for anything. */
  readonly free: number;
  /** Undefined where the platform has no such thing. */
  readonly buffers?: number;
  readonly swapTotal: number;
  readonly swapFree: number;
  readonly linux: boolean;
}

/** @param arc what ZFS would give back of its cache, bytes: the kernel takes it for used. */
export function parseMeminfo(text: string, arc = 0): Memory {
  const bytes = (name: string): number | undefined => {
    const kilobytes = new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  };
  const total = bytes('MemTotal') ?? 0;
  const free = bytes('MemFree') ?? 0;
  const buffers = bytes('Buffers') ?? 0;
  // What is shared counts as cached and cannot be given back. LXC tells of the host's shared memory beside its own cache.
  const cached = Math.max(0, (bytes('Cached') ?? 0) + (bytes('SReclaimable') ?? 0) - (bytes('Shmem') ?? 0));
  // MemAvailable came with Linux 3.14.
  const available = Math.min(total, (bytes('MemAvailable') ?? free + buffers + cached) + arc);
  const swapTotal = bytes('SwapTotal') ?? 0;
  return { total, available, free, buffers, swapTotal, swapFree: bytes('SwapFree') ?? 0, linux: true };
}

/** What ZFS would give back of its cache (ARC), bytes. */
function reclaimableArc(machine: Machine): number {
  const arc = machine.readNow('proc/spl/kstat/zfs/arcstats');
  // In a container of LXC it is the host's, of which the container's own /proc/meminfo has nothing.
  if (arc === undefined || /fuse\.lxcfs/.test(machine.readNow('proc/self/mountinfo') ?? '')) return 0;
  const bytes = (name: string): number => Number(new RegExp(`^${name} +\\d+ +(\\d+)`, 'm').exec(arc)?.[1] ?? 0);
  return Math.max(0, bytes('size') - bytes('c_min'));
}

function fromSystemInformation({ total, available, free, swaptotal, swapfree }: Systeminformation.MemData): Memory {
  const within = Math.max(0, Math.min(total, available));
  return { total, available: within, free, swapTotal: swaptotal, swapFree: swapfree, linux: false };
}

export function memoryReadings(memory: Memory): Reading[] {
  const { total, available, swapTotal, linux } = memory;
  const readings: Reading[] = [{ metricName: 'system.memory.limit', value: total }];
  if (linux) readings.push({ metricName: 'system.memory.linux.available', value: available });
  readings.push(...byState('system.memory', statesOf(memory), total));
  const swapFree = Math.max(0, Math.min(swapTotal, memory.swapFree));
  readings.push(...byState('system.paging', { used: swapTotal - swapFree, free: swapFree }, swapTotal));
  return readings;
}

/**
 * Parts of the whole, none of them negative, that make all of it. The cache is the rest: what the system can give back of it,
 * so a little less than all that /proc/meminfo calls cached.
 */
function statesOf({ total, available, ...memory }: Memory): Record<string, number> {
  const free = Math.max(0, Math.min(memory.free, available));
  const buffers = Math.min(memory.buffers ?? 0, available - free);
  const cached = available - free - buffers;
  return { used: total - available, free, ...(memory.buffers !== undefined && { buffers }), cached };
}

/** Nothing of no memory: a machine without swap has no usage of it, rather than a usage of 0. */
function byState(metric: 'system.memory' | 'system.paging', states: Record<string, number>, whole: number): Reading[] {
  if (!(whole > 0)) return [];
  return Object.entries(states).flatMap(([state, value]) => [
    { metricName: `${metric}.usage`, labels: { [`${metric}.state`]: state }, value },
    { metricName: `${metric}.utilization`, labels: { [`${metric}.state`]: state }, value: value / whole },
  ]);
}

/** Page faults and swapping since the start, from /proc/vmstat. */
export function pagingReadings(vmstat: string): Reading[] {
  const count = (name: string): number | undefined => {
    const text = new RegExp(`^${name} (\\d+)$`, 'm').exec(vmstat)?.[1];
    return text === undefined ? undefined : Number(text);
  };
  const reading = (metricName: string, labels: Record<string, string>, value: number | undefined): Reading[] =>
    value === undefined ? [] : [{ metricName, labels, value }];
  const major = count('pgmajfault');
  const all = count('pgfault');
  const minor = all === undefined ? undefined : Math.max(0, all - (major ?? 0));
  return [
    ...reading('system.paging.faults', { 'system.paging.fault.type': 'major' }, major),
    ...reading('system.paging.faults', { 'system.paging.fault.type': 'minor' }, minor),
    ...reading('system.paging.operations', { 'system.paging.direction': 'in' }, count('pswpin')),
    ...reading('system.paging.operations', { 'system.paging.direction': 'out' }, count('pswpout')),
  ];
}
