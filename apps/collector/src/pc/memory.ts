import type { Reading } from '@device-metrics/domain';
import type { Systeminformation } from 'systeminformation';
import type { PcGroup } from './group.js';

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
    const meminfo = parseMeminfo(await machine.read('proc/meminfo'));
    return [...memoryReadings(meminfo), ...pagingReadings(await machine.read('proc/vmstat'))];
  },
};

/** Bytes. */
interface Memory {
  readonly total: number;
  /** What a program could claim without swapping. Linux: MemAvailable of /proc/meminfo. */
  readonly available: number;
  readonly states: Readonly<Record<string, number>>;
  readonly swapTotal: number;
  readonly swapFree: number;
  readonly linux: boolean;
}

export function parseMeminfo(text: string): Memory {
  const bytes = (name: string): number => Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024;
  const total = bytes('MemTotal');
  const free = bytes('MemFree');
  const buffers = bytes('Buffers');
  const cached = bytes('Cached') + bytes('SReclaimable') - bytes('Shmem');
  // MemAvailable came with Linux 3.14.
  const available = bytes('MemAvailable') || free + buffers + cached;
  const states = { used: total - available, free, buffers, cached };
  return { total, available, states, swapTotal: bytes('SwapTotal'), swapFree: bytes('SwapFree'), linux: true };
}

function fromSystemInformation(mem: Systeminformation.MemData): Memory {
  const { total, available, free, swaptotal, swapfree } = mem;
  return {
    total,
    available,
    states: { used: total - available, free },
    swapTotal: swaptotal,
    swapFree: swapfree,
    linux: false,
  };
}

export function memoryReadings({ total, available, states, swapTotal, swapFree, linux }: Memory): Reading[] {
  const readings: Reading[] = [{ metricName: 'system.memory.limit', value: total }];
  if (linux) readings.push({ metricName: 'system.memory.linux.available', value: available });
  for (const [state, value] of Object.entries(states)) {
    readings.push({ metricName: 'system.memory.usage', labels: { 'system.memory.state': state }, value });
    readings.push({
      metricName: 'system.memory.utilization',
      labels: { 'system.memory.state': state },
      value: value / total,
    });
  }
  // A machine without swap has no usage of it, rather than a usage of 0.
  for (const [state, value] of swapTotal > 0 ? Object.entries({ used: swapTotal - swapFree, free: swapFree }) : []) {
    readings.push({ metricName: 'system.paging.usage', labels: { 'system.paging.state': state }, value });
    readings.push({
      metricName: 'system.paging.utilization',
      labels: { 'system.paging.state': state },
      value: value / swapTotal,
    });
  }
  return readings;
}

/** Page faults and swapping since the start, from /proc/vmstat. */
export function pagingReadings(vmstat: string): Reading[] {
  const counts = new Map([...vmstat.matchAll(/^(\w+) (\d+)$/gm)].map(([, name = '', count]) => [name, Number(count)]));
  const reading = (metricName: string, labels: Record<string, string>, value: number | undefined): Reading[] =>
    value === undefined ? [] : [{ metricName, labels, value }];
  const major = counts.get('pgmajfault');
  const all = counts.get('pgfault');
  return [
    ...reading('system.paging.faults', { 'system.paging.fault.type': 'major' }, major),
    ...reading(
      'system.paging.faults',
      { 'system.paging.fault.type': 'minor' },
      all === undefined ? undefined : all - (major ?? 0),
    ),
    ...reading('system.paging.operations', { 'system.paging.direction': 'in' }, counts.get('pswpin')),
    ...reading('system.paging.operations', { 'system.paging.direction': 'out' }, counts.get('pswpout')),
  ];
}
