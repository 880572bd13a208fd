import { setTimeout as delay } from 'node:timers/promises';
import type { Reading } from '@device-metrics/domain';
import { FIRST_SPAN, type PcGroup } from './group.js';
import { readNumber, type Machine } from './machine.js';

/** Seconds that one logical processor has spent in each mode since the start of the operating system. */
export type CpuTimes = Readonly<Record<string, number>>;

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
    let before: CpuTimes[] | undefined;
    return async (signal) => {
      if (!before) {
        before = await readTimes(machine);
        await delay(FIRST_SPAN, undefined, { signal });
      }
      const times = await readTimes(machine);
      const readings = [
        ...timeReadings(times),
        ...utilizationReadings(before, times),
        { metricName: 'system.cpu.logical.count', value: times.length },
        ...(await frequencyReadings(machine, times.length)),
        ...loadReadings(machine),
      ];
      before = times;
      return readings;
    };
  },
};

async function readTimes(machine: Machine): Promise<CpuTimes[]> {
  if (machine.platform === 'linux') return parseProcStat(await machine.read('proc/stat'));
  return machine.cpus().map(({ times: { user, nice, sys, idle, irq } }) => ({
    user: user / 1000,
    system: sys / 1000,
    idle: idle / 1000,
    // Windows has no nice, macOS does not tell of interrupts.
    ...(machine.platform === 'win32' ? { interrupt: irq / 1000 } : { nice: nice / 1000 }),
  }));
}

/** The `cpuN` lines of /proc/stat, in their order. */
export function parseProcStat(text: string): CpuTimes[] {
  return [...text.matchAll(/^cpu\d+ +(.+)$/gm)].map(([, line = '']) => {
    const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = line
      .split(' ')
      .map(Number);
    const ticks = { user, nice, system, idle, iowait, interrupt: irq + softirq, steal };
    return Object.fromEntries(Object.entries(ticks).map(([mode, count]) => [mode, count / TICKS_PER_SECOND]));
  });
}

function timeReadings(times: readonly CpuTimes[]): Reading[] {
  return times.flatMap((modes, cpu) =>
    Object.entries(modes).map(([mode, value]) => {
      return { metricName: 'system.cpu.time', labels: { cpu: String(cpu), mode }, value };
    }),
  );
}

/** The share of time that each processor, and all together (no label), were busy between two readings. */
export function utilizationReadings(before: readonly CpuTimes[], after: readonly CpuTimes[]): Reading[] {
  const spans = after.map((times, cpu) => span(before[cpu] ?? {}, times));
  const total = spans.reduce((sum, { busy, all }) => ({ busy: sum.busy + busy, all: sum.all + all }), {
    busy: 0,
    all: 0,
  });
  const named = spans.map((one, cpu) => ({ ...one, labels: { cpu: String(cpu) } }));
  return [{ ...total, labels: {} }, ...named]
    .filter(({ all }) => all > 0)
    .map(({ busy, all, labels }) => ({ metricName: 'system.cpu.utilization', labels, value: busy / all }));
}

/** Seconds between two readings; a mode that a kernel sets back, as it may idle, counts as none. */
function span(before: CpuTimes, after: CpuTimes): { busy: number; all: number } {
  const grown = (mode: string): number => Math.max(0, (after[mode] ?? 0) - (before[mode] ?? 0));
  const all = Object.keys(after).reduce((sum, mode) => sum + grown(mode), 0);
  return { all, busy: Math.max(0, all - grown('idle') - grown('iowait')) };
}

async function frequencyReadings(machine: Machine, cpus: number): Promise<Reading[]> {
  const hertz =
    machine.platform === 'linux'
      ? await Promise.all(
          Array.from({ length: cpus }, async (_, cpu) => {
            return (
              ((await readNumber(machine, `sys/devices/system/cpu/cpu${cpu}/cpufreq/scaling_cur_freq`)) ?? 0) * 1000
            );
          }),
        )
      : machine.cpus().map(({ speed }) => speed * 1e6);
  return hertz.flatMap((value, cpu) =>
    value > 0 ? [{ metricName: 'system.cpu.frequency', labels: { cpu: String(cpu) }, value }] : [],
  );
}

function loadReadings(machine: Machine): Reading[] {
  if (machine.platform === 'win32') return [];
  return machine.loadavg().map((value, index) => {
    return { metricName: `system.cpu.load_average.${['1m', '5m', '15m'][index]}`, value };
  });
}
