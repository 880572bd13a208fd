import { setTimeout as delay } from 'node:timers/promises';
import type { Reading } from '@device-metrics/domain';
import { FIRST_SPAN, type PcGroup, type Reader } from './group.js';
import { LinuxProcesses, type Process } from './linux/processes.js';
import type { Machine } from './machine.js';

/** Of one program since the last look: shares of all processors by mode, or in all where the platform tells no more. */
export interface Use extends Pick<Process, 'name' | 'memory'> {
  readonly utilization: Readonly<Record<string, number>>;
  /** What of its memory it shares with others, bytes; asked only of those that count. */
  readonly shared?: () => number;
}

export const processes: PcGroup = {
  name: 'processes',
  metrics: ['system.process.count', 'system.process.created', 'process.cpu.utilization', 'process.memory.usage'],
  startsProgram: 'outside Linux',
  // By far the most files: one for each process.
  slow: 30_000,
  configure: (keys) => {
    const top = keys.count('top', 5, 0, 100);
    return (machine, say) =>
      machine.platform === 'linux' ? linuxReader(machine, top, say) : otherReader(machine, top);
  },
};

function linuxReader(machine: Machine, top: number, say: (message: string) => void): Reader {
  const linux = new LinuxProcesses(machine);
  let before: { at: number; all: ReadonlyMap<string, Process> } | undefined;
  return async (signal) => {
    if (!before) {
      if (await linux.areHidden()) {
        say('processes: /proc is mounted with hidepid, so that only those of the collector’s own user are counted');
      }
      before = { at: linux.now(), all: byKey(await linux.read()) };
      await delay(FIRST_SPAN, undefined, { signal });
    }
    const { at, all: old } = before;
    const all = await linux.read();
    before = { at: linux.now(), all: byKey(all) };
    const capacity = (before.at - at) * (await linux.processors());
    const uses = all.map(({ name, memory, ...process }): Use => {
      const utilization = shares(process, old.get(keyOf(process)), at, capacity);
      return { name, memory, utilization, shared: () => linux.sharedMemory(process.pid) };
    });
    const created = await linux.created();
    return [
      ...countReadings(all),
      ...(created === undefined ? [] : [{ metricName: 'system.process.created', value: created }]),
      ...topReadings(uses, top),
    ];
  };
}

/** A number is given out again when its process has ended, but not at the same time. */
const keyOf = ({ pid, start }: Pick<Process, 'pid' | 'start'>): string => `${pid} ${start}`;
const byKey = (all: readonly Process[]): Map<string, Process> => new Map(all.map((one) => [keyOf(one), one]));

/**
 * What a process used of all processors since the last look. One that began after it has used all of its time since then; of one
 * that could not be seen then nobody knows.
 */
function shares(
  process: Pick<Process, 'start' | 'user' | 'system'>,
  before: Process | undefined,
  since: number,
  capacity: number,
): Record<string, number> {
  if (!before && process.start < since) return { user: 0, system: 0 };
  const share = (mode: 'user' | 'system'): number => {
    const grown = process[mode] - (before?.[mode] ?? 0);
    return capacity > 0 ? Math.max(0, Math.min(1, grown / capacity)) : 0;
  };
  return { user: share('user'), system: share('system') };
}

function otherReader(machine: Machine, top: number): Reader {
  return async () => {
    const { list } = await machine.si.processes();
    // Of all processors on Windows; macOS tells it of one.
    const whole = machine.platform === 'win32' ? 100 : 100 * machine.cpus().length;
    const all = list.map(({ name, state, cpu, memRss }) => {
      const utilization = { '': Math.max(0, Math.min(1, cpu / whole)) };
      return { name, status: state === '' ? 'other' : state, utilization, memory: memRss * 1024 };
    });
    return [...countReadings(all), ...topReadings(all, top)];
  };
}

function countReadings(all: readonly Pick<Process, 'status'>[]): Reading[] {
  const counts = new Map<string, number>();
  for (const { status } of all) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, value]) => {
    return { metricName: 'system.process.count', labels: { 'process.state': status }, value };
  });
}

/** All processes of one name. */
interface Program {
  readonly name: string;
  readonly processes: readonly Use[];
  readonly utilization: Readonly<Record<string, number>>;
  readonly memory: number;
}

/**
 * The programs that take most, all processes of one name together: a label for each process would make a series for each
 * number that the system ever gives out.
 */
export function topReadings(all: readonly Use[], top: number): Reading[] {
  const programs = programsOf(all);
  const busiest = most(programs, top, ({ utilization }) => Object.values(utilization).reduce((a, b) => a + b, 0));
  // Taking away what is counted twice moves few: twice as many as are wanted hold those that are.
  const large = most(programs, 2 * top, ({ memory }) => memory).map((program) => ({
    ...program,
    memory: memoryOf(program),
  }));
  return [
    ...busiest.flatMap(({ name, utilization }) =>
      Object.entries(utilization).map(([mode, value]) => {
        const labels = { 'process.executable.name': name, ...(mode !== '' && { 'cpu.mode': mode }) };
        return { metricName: 'process.cpu.utilization', labels, value };
      }),
    ),
    ...most(large, top, ({ memory }) => memory).map(({ name, memory: value }) => {
      return { metricName: 'process.memory.usage', labels: { 'process.executable.name': name }, value };
    }),
  ];
}

function programsOf(all: readonly Use[]): Program[] {
  const byName = new Map<string, Use[]>();
  for (const one of all) {
    const same = byName.get(one.name);
    if (same) same.push(one);
    else byName.set(one.name, [one]);
  }
  return Array.from(byName, ([name, processes]) => {
    const utilization: Record<string, number> = {};
    for (const [mode, share] of processes.flatMap((one) => Object.entries(one.utilization))) {
      utilization[mode] = Math.min(1, (utilization[mode] ?? 0) + share);
    }
    return { name, processes, utilization, memory: processes.reduce((sum, { memory }) => sum + memory, 0) };
  });
}

/** What its processes share counts once: a database may share most of the memory among a hundred of them. */
function memoryOf({ processes, memory }: Program): number {
  if (processes.length === 1) return memory;
  const shared = processes.map((process) => Math.min(process.memory, process.shared?.() ?? 0));
  return memory - shared.reduce((a, b) => a + b, 0) + shared.reduce((a, b) => Math.max(a, b), 0);
}

function most(programs: readonly Program[], top: number, amount: (program: Program) => number): Program[] {
  return programs
    .filter((program) => amount(program) > 0)
    .sort((a, b) => amount(b) - amount(a))
    .slice(0, top);
}
