import { setTimeout as delay } from 'node:timers/promises';
import type { Reading } from '@device-metrics/domain';
import { FIRST_SPAN, type PcGroup } from './group.js';
import type { Machine } from './machine.js';

/** One process as its platform tells of it. */
export interface Process {
  readonly pid: number;
  /** Of the program; several processes may share it. */
  readonly name: string;
  readonly status: string;
  /** Processor time since its start, seconds; undefined where the platform tells a share instead. */
  readonly cpuTime?: number;
  /** Share of all processors since the last look; where there is no `cpuTime`. */
  readonly utilization?: number;
  /** Physical memory, bytes. */
  readonly memory: number;
}

export const processes: PcGroup = {
  name: 'processes',
  metrics: ['system.process.count', 'system.process.created', 'process.cpu.utilization', 'process.memory.usage'],
  startsProgram: 'outside Linux',
  configure: (keys) => {
    const top = keys.count('top', 5, 0, 100);
    return (machine) => (machine.platform === 'linux' ? linuxReader(machine, top) : otherReader(machine, top));
  },
};

function linuxReader(machine: Machine, top: number): (signal: AbortSignal) => Promise<Reading[]> {
  let before: { at: number; cpuTimes: Map<number, number> } | undefined;
  let pageSize: number | undefined;
  return async (signal) => {
    pageSize ??= await readPageSize(machine);
    if (!before) {
      before = { at: performance.now(), cpuTimes: cpuTimes(await readLinux(machine, pageSize)) };
      await delay(FIRST_SPAN, undefined, { signal });
    }
    const at = performance.now();
    const all = await readLinux(machine, pageSize);
    const capacity = ((at - before.at) / 1000) * machine.cpus().length;
    const used = all.map((process): Process => {
      // One that is new since the last look has used all of its time since then.
      const grown = (process.cpuTime ?? 0) - (before?.cpuTimes.get(process.pid) ?? 0);
      return { ...process, utilization: Math.max(0, grown) / capacity };
    });
    before = { at, cpuTimes: cpuTimes(all) };
    const created = /^processes (\d+)$/m.exec(await machine.read('proc/stat'))?.[1];
    return [
      ...countReadings(all),
      ...(created === undefined ? [] : [{ metricName: 'system.process.created', value: Number(created) }]),
      ...topReadings(used, top),
    ];
  };
}

function otherReader(machine: Machine, top: number): () => Promise<Reading[]> {
  return async () => {
    const { list } = await machine.si.processes();
    // Of all processors on Windows; macOS tells it of one.
    const whole = machine.platform === 'win32' ? 100 : 100 * machine.cpus().length;
    const all = list.map(({ pid, name, state, cpu, memRss }): Process => {
      return { pid, name, status: state === '' ? 'other' : state, utilization: cpu / whole, memory: memRss * 1024 };
    });
    return [...countReadings(all), ...topReadings(all, top)];
  };
}

const cpuTimes = (all: readonly Process[]): Map<number, number> =>
  new Map(all.map(({ pid, cpuTime = 0 }) => [pid, cpuTime]));

const STATUSES: Readonly<Record<string, string>> = {
  R: 'running',
  S: 'sleeping',
  D: 'disk_sleep',
  I: 'idle',
  Z: 'defunct',
  T: 'stopped',
  t: 'stopped',
};
const TICKS_PER_SECOND = 100;

async function readLinux(machine: Machine, pageSize: number): Promise<Process[]> {
  const pids = (await machine.list('proc')).filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    // Read at once: hundreds of promises for hundreds of small files of /proc cost several times as much.
    const stat = machine.readNow(`proc/${pid}/stat`);
    return stat === undefined ? [] : [parseStat(stat, pageSize)];
  });
}

/** A line of /proc/<pid>/stat; the name is in parentheses and may hold some itself. */
export function parseStat(stat: string, pageSize: number): Process {
  const end = stat.lastIndexOf(')');
  const [pid = '', name = ''] = stat.slice(0, end).split(/ \((.*)/s);
  const fields = stat.slice(end + 2).split(' ');
  const [status = '', utime, stime, rss] = [fields[0], fields[11], fields[12], fields[21]];
  return {
    pid: Number(pid),
    name,
    status: STATUSES[status] ?? 'other',
    cpuTime: (Number(utime) + Number(stime)) / TICKS_PER_SECOND,
    memory: Number(rss) * pageSize,
  };
}

/** Node does not tell the size of a page, but a process has its size in bytes in one file and in pages in another. */
async function readPageSize(machine: Machine): Promise<number> {
  const stat = await machine.read('proc/self/stat');
  const bytes = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[20]);
  const pages = Number((await machine.read('proc/self/statm')).split(' ')[0]);
  return 2 ** Math.round(Math.log2(bytes / pages));
}

function countReadings(all: readonly Process[]): Reading[] {
  const counts = new Map<string, number>();
  for (const { status } of all) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, value]) => ({
    metricName: 'system.process.count',
    labels: { 'process.state': status },
    value,
  }));
}

/**
 * The programs that take most, all processes of one name together: a label for each process would make a series for each
 * number that the system ever gives out.
 */
export function topReadings(all: readonly Process[], top: number): Reading[] {
  const programs = new Map<string, { utilization: number; memory: number }>();
  for (const { name, utilization = 0, memory } of all) {
    const sum = programs.get(name) ?? { utilization: 0, memory: 0 };
    programs.set(name, { utilization: sum.utilization + utilization, memory: sum.memory + memory });
  }
  const most = (field: 'utilization' | 'memory', metricName: string): Reading[] =>
    [...programs]
      .filter(([, sum]) => sum[field] > 0)
      .sort(([, a], [, b]) => b[field] - a[field])
      .slice(0, top)
      .map(([process, sum]) => ({ metricName, labels: { 'process.executable.name': process }, value: sum[field] }));
  return [...most('utilization', 'process.cpu.utilization'), ...most('memory', 'process.memory.usage')];
}
