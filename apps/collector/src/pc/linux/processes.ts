import type { Machine } from '../machine.js';

/** One process of /proc. */
export interface Process {
  readonly pid: number;
  /** Of the program; several processes may share it. */
  readonly name: string;
  readonly status: string;
  /** When it began, seconds since the start of the system. */
  readonly start: number;
  /** Processor time since its start by mode, seconds. */
  readonly user: number;
  readonly system: number;
  /** Physical memory: its own and what it shares with others, bytes. */
  readonly memory: number;
}

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
/** The kernel keeps so many bytes of a name. */
const LONGEST_COMM = 15;

/** The processes of /proc. */
export class LinuxProcesses {
  private pageSize: number | undefined;
  /** Names that the kernel cuts off, by the process: its command line is read but once. */
  private longNames = new Map<string, string>();

  constructor(private readonly machine: Machine) {}

  async read(): Promise<Process[]> {
    this.pageSize ??= await readPageSize(this.machine);
    const longNames = new Map<string, string>();
    const processes: Process[] = [];
    for (const pid of await this.machine.list('proc')) {
      if (!/^\d+$/.test(pid)) continue;
      // Read at once: hundreds of promises for hundreds of small files of /proc cost several times as much.
      const stat = this.machine.readNow(`proc/${pid}/stat`);
      if (stat === undefined) continue;
      const process = parseStat(stat, this.pageSize);
      processes.push(
        Buffer.byteLength(process.name) < LONGEST_COMM
          ? process
          : { ...process, name: this.longName(process, longNames) },
      );
    }
    this.longNames = longNames;
    return processes.map((process) => ({ ...process, name: printable(process.name) }));
  }

  /** What a process shares with others, bytes. */
  sharedMemory(pid: number): number {
    const pages = Number((this.machine.readNow(`proc/${pid}/statm`) ?? '').split(' ')[2] ?? 0);
    return pages * (this.pageSize ?? 0);
  }

  /** Seconds since the start of the system. */
  now(): number {
    return Number((this.machine.readNow('proc/uptime') ?? '').split(' ')[0]);
  }

  /** How many processes and threads were ever started. */
  async created(): Promise<number | undefined> {
    const created = /^processes (\d+)$/m.exec(await this.machine.read('proc/stat'))?.[1];
    return created === undefined ? undefined : Number(created);
  }

  async processors(): Promise<number> {
    return [...(await this.machine.read('proc/stat')).matchAll(/^cpu\d/gm)].length;
  }

  /** Whether /proc shows only the processes of this user. */
  async areHidden(): Promise<boolean> {
    const mount = / \/proc .* - proc .*/.exec(
      (await this.machine.read('proc/self/mountinfo').catch(() => '')) ?? '',
    )?.[0];
    const isHidden = /\bhidepid=(?!0|off)/.test(mount ?? '');
    // Root sees all of them, and so does a member of the group that the mount names: then the first process is there.
    return isHidden && this.machine.readNow('proc/1/stat') === undefined;
  }

  private longName({ pid, start, name, status }: Process, longNames: Map<string, string>): string {
    const key = `${pid} ${start} ${name}`;
    // The command line is in the process's own memory, which one that waits for a dead disk may keep locked.
    const known = this.longNames.get(key) ?? (status === 'disk_sleep' ? undefined : this.nameOfCommand(pid, name));
    if (known === undefined) return name;
    longNames.set(key, known);
    return known;
  }

  private nameOfCommand(pid: number, name: string): string {
    return nameByCommand(name, this.machine.readNow(`proc/${pid}/cmdline`) ?? '');
  }
}

/** A line of /proc/<pid>/stat; the name is in parentheses and may hold some itself. */
export function parseStat(stat: string, pageSize: number): Process {
  const end = stat.lastIndexOf(')');
  const [pid = '', name = ''] = stat.slice(0, end).split(/ \((.*)/s);
  const fields = stat.slice(end + 2).split(' ');
  const ticks = (field: number): number => Number(fields[field]) / TICKS_PER_SECOND;
  return {
    pid: Number(pid),
    name,
    status: STATUSES[fields[0] ?? ''] ?? 'other',
    start: ticks(19),
    user: ticks(11),
    system: ticks(12),
    memory: Number(fields[21]) * pageSize,
  };
}

/**
 * The whole name of a program of which the kernel keeps the first 15 bytes: the program of its command line, or the script that it
 * runs.
 *
 * @param cmdline of /proc: arguments that each end with a NUL; one text with blanks where a program has written over it.
 */
export function nameByCommand(comm: string, cmdline: string): string {
  // A letter of several bytes may be cut through.
  const begin = comm.replace(/\uFFFD+$/, '');
  for (const argument of cmdline.split('\0').slice(0, 3)) {
    const program = begin.includes(' ') ? argument : (argument.split(' ')[0] ?? '');
    const base = program.split('/').at(-1) ?? '';
    if (base.startsWith(begin)) return base.slice(0, 255);
  }
  return comm;
}

/** As /proc/<pid>/status has it: a line feed is `\n`. */
const printable = (name: string): string =>
  name.replace(/\p{Cc}/gu, (character) => {
    return character === '\n' ? '\\n' : `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });

/** Node does not tell the size of a page, but a process has its size in bytes in one file and in pages in another. */
async function readPageSize(machine: Machine): Promise<number> {
  const stat = await machine.read('proc/self/stat');
  const bytes = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[20]);
  const pages = Number((await machine.read('proc/self/statm')).split(' ')[0]);
  return 2 ** Math.round(Math.log2(bytes / pages));
}
