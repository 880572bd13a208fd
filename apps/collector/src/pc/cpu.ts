import { setTimeout as delay } from 'node:timers/promises';
import type { Reading } from '@device-metrics/domain';
import { FIRST_SPAN, type PcGroup } from './group.js';
import { readNumber, type Machine } from './machine.js';

/** Seconds that one logical processor has spent in each mode since the start of the operating system. */
export type CpuTimes = Readonly<Record<string, number>>;

/** By the number of the processor; one that is switched off is left out. */
type AllTimes = ReadonlyMap<string, CpuTimes>;

/** The kernel counts processor time in hundredths of a second, whatever its own tick (USER_HZ). */
const TICKS_PER_SECOND = 100;

export const cpu: PcGroup = {
  name: 'cpu',
  metrics: [
    'system.cpu.utilization',
    'system.cpu.time',
    'system.cpu.logical.count',
    'system.cpu.frequency',
    'system.cpu.load_average.1m',
    'system.cpu.load_average.5m',
    'system.cpu.load_average.15m',
  ],
  configure: () => (machine) => {
    let before: AllTimes | undefined;
    return async (signal) => {
      if (!before) {
        before = await readTimes(machine);
        await delay(FIRST_SPAN, undefined, { signal });
      }
      const times = await readTimes(machine);
      const readings = [
        ...timeReadings(times),
        ...utilizationReadings(before, times),
        { metricName: 'system.cpu.logical.count', value: times.size },
        ...(await frequencyReadings(machine, [...times.keys()])),
        ...loadReadings(machine),
      ];
      before = times;
      return readings;
    };
  },
};

async function readTimes(machine: Machine): Promise<AllTimes> {
  if (machine.platform === 'linux') return parseProcStat(await machine.read('proc/stat'));
  const all = machine.cpus().map(({ times: { user, nice, sys, idle, irq } }, cpu): [string, CpuTimes] => {
    const times = {
      user: user / 1000,
      system: sys / 1000,
      idle: idle / 1000,
      // Windows has no nice, macOS does not tell of interrupts.
      ...(machine.platform === 'win32' ? { interrupt: irq / 1000 } : { nice: nice / 1000 }),
    };
    return [String(cpu), times];
  });
  return new Map(all);
}

/** The `cpuN` lines of /proc/stat. */
export function parseProcStat(text: string): AllTimes {
  const all = [...text.matchAll(/^cpu(\d+) +(.+)$/gm)].map(([, cpu = '', line = '']): [string, CpuTimes] => {
    const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = line
      .split(' ')
      .map(Number);
    const ticks = { user, nice, system, idle, iowait, interrupt: irq + softirq, steal };
    return [cpu, Object.fromEntries(Object.entries(ticks).map(([mode, count]) => [mode, count / TICKS_PER_SECOND]))];
  });
  return new Map(all);
}

function timeReadings(times: AllTimes): Reading[] {
  return [...times].flatMap(([cpu, modes]) =>
    Object.entries(modes).map(([mode, value]) => {
      return { metricName: 'system.cpu.time', labels: { 'cpu.logical_number': cpu, 'cpu.mode': mode }, value };
    }),
  );
}

/**
 * The share of time that each processor, and all together (no label), were busy between two readings; without those that
 * were switched on meanwhile.
 */
export function utilizationReadings(before: AllTimes, after: AllTimes): Reading[] {
  const spans = [...after].flatMap(([cpu, times]) => {
    const old = before.get(cpu);
    return old ? [{ ...span(old, times), labels: { 'cpu.logical_number': cpu } }] : [];
  });
  const total = spans.reduce((sum, { busy, all }) => ({ busy: sum.busy + busy, all: sum.all + all }), {
    busy: 0,
    all: 0,
  });
  return [{ ...total, labels: {} }, ...spans]
    .filter(({ all }) => all > 0)
    .map(({ busy, all, labels }) => ({ metricName: 'system.cpu.utilization', labels, value: busy / all }));
}

/** Seconds between two readings; a mode that a kernel sets back, as it may idle, counts as none. */
function span(before: CpuTimes, after: CpuTimes): { busy: number; all: number } {
  const grown = (mode: string): number => Math.max(0, (after[mode] ?? 0) - (before[mode] ?? 0));
  const all = Object.keys(after).reduce((sum, mode) => sum + grown(mode), 0);
  return { all, busy: Math.max(0, all - grown('idle') - grown('iowait')) };
}

async function frequencyReadings(machine: Machine, cpus: readonly string[]): Promise<Reading[]> {
  const hertz =
    machine.platform === 'linux'
      ? await Promise.all(
          cpus.map(async (cpu) => {
            return (
              ((await readNumber(machine, `sys/devices/system/cpu/cpu${cpu}/cpufreq/scaling_cur_freq`)) ?? 0) * 1000
            );
          }),
        )
      : machine.cpus().map(({ speed }) => speed * 1e6);
  return hertz.flatMap((value, index) =>
    value > 0
      ? [{ metricName: 'system.cpu.frequency', labels: { 'cpu.logical_number': cpus[index] ?? '' }, value }]
      : [],
  );
}

function loadReadings(machine: Machine): Reading[] {
  if (machine.platform === 'win32') return [];
  return machine.loadavg().map((value, index) => {
    return { metricName: `system.cpu.load_average.${['1m', '5m', '15m'][index]}`, value };
  });
}
