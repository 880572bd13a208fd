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
/** Idle time that falls by so much (s) began again, as of a processor that was switched off and on. */
const RESET = 3;

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
      const times = heldTimes(before, await readTimes(machine));
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
    // Windows has no nice, and counts interrupts within the system's time; macOS does not tell of them.
    const ofPlatform =
      machine.platform === 'win32'
        ? { system: Math.max(0, sys - irq), idle, interrupt: irq }
        : { system: sys, idle, nice };
    return [String(cpu), inSeconds({ user, ...ofPlatform }, 1000)];
  });
  return new Map(all);
}

/** The `cpuN` lines of /proc/stat. */
export function parseProcStat(text: string): AllTimes {
  const all = [...text.matchAll(/^cpu(\d+) +(.+)$/gm)].map(([, cpu = '', line = '']): [string, CpuTimes] => {
    const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = line
      .split(' ')
      .map(Number);
    return [cpu, inSeconds({ user, nice, system, idle, iowait, interrupt: irq + softirq, steal }, TICKS_PER_SECOND)];
  });
  return new Map(all);
}

const inSeconds = (ticks: CpuTimes, perSecond: number): CpuTimes =>
  Object.fromEntries(Object.entries(ticks).map(([mode, count]) => [mode, count / perSecond]));

/**
 * The times without the small steps back that Linux makes: it guesses idle and iowait anew at times. A counter that falls
 * means a new start to whoever reads it, and all of it would count as grown. So a time that falls stays as it was, unless
 * the processor began again.
 */
export function heldTimes(before: AllTimes, now: AllTimes): AllTimes {
  const held = [...now].map(([cpu, times]): [string, CpuTimes] => {
    const old = before.get(cpu);
    if (!old || (times['idle'] ?? 0) <= (old['idle'] ?? 0) - RESET) return [cpu, times];
    return [cpu, Object.fromEntries(Object.entries(times).map(([mode, s]) => [mode, Math.max(s, old[mode] ?? 0)]))];
  });
  return new Map(held);
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

/** Seconds between two readings; a mode that began again counts as none. */
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
