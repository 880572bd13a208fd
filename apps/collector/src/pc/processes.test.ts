import { describe, expect, it } from '@jest/globals';
import { GroupReader, laptop, linuxWith, only, read, values } from '../../test/pc.js';
import { nameByCommand, parseStat } from './linux/processes.js';
import type { Machine } from './machine.js';
import { processes, topReadings } from './processes.js';

interface Recorded {
  readonly comm?: string;
  readonly state?: string;
  /** Seconds. */
  readonly user?: number;
  readonly system?: number;
  /** Seconds after the start of the system. */
  readonly start?: number;
  /** Pages of 4 KiB. */
  readonly pages?: number;
  readonly cmdline?: string;
  readonly shared?: number;
}

const statOf = (
  pid: number,
  { comm = 'app', state = 'S', user = 0, system = 0, start = 0, pages = 1 }: Recorded,
): string =>
  `${pid} (${comm}) ${state} 1 1 1 0 -1 0 0 0 0 0 ${user * 100} ${system * 100} 0 0 20 0 1 0 ${start * 100} ${2 ** 20} ${pages} 0`;

/** A machine of two processors at a time after its start (s), with these processes. */
function machineAt(
  uptime: number,
  all: Readonly<Record<number, Recorded>>,
  files: Record<string, string> = {},
): Machine {
  const own = Object.entries(all).flatMap(([pid, process]): [string, string][] => [
    [`proc/${pid}/stat`, statOf(Number(pid), process)],
    [`proc/${pid}/cmdline`, process.cmdline ?? ''],
    [`proc/${pid}/statm`, `0 ${process.pages ?? 1} ${process.shared ?? 0} 0 0 0 0`],
  ]);
  return linuxWith({
    'proc/uptime': `${uptime} 0\n`,
    'proc/stat': 'cpu  0\ncpu0 0\ncpu1 0\nprocesses 2915\n',
    'proc/self/stat': statOf(9, {}),
    'proc/self/statm': '256 1 0 0 0 0 0',
    ...Object.fromEntries(own),
    ...files,
  });
}

/** What a group tells at the last of several times; the collector looks at each. */
async function readAt(...machines: readonly Machine[]): Promise<string[]> {
  let at = 0;
  let looks = 0;
  const now = (): Machine => machines[at] ?? laptop;
  const machine: Machine = {
    ...laptop,
    read: (path) => now().read(path),
    readNow: (path) => now().readNow(path),
    list: (path) => {
      // The first run looks twice.
      if (path === 'proc' && (looks += 1) > 1) at = Math.min(looks - 1, machines.length - 1);
      return now().list(path);
    },
  };
  const reader = new GroupReader(processes, machine);
  let readings: string[] = [];
  for (let run = 1; run < machines.length; run += 1) readings = await reader.read();
  return readings;
}

describe('processes', () => {
  it('are counted by state, and those of one program taken together', async () => {
    expect(await read(processes, laptop, { top: 2 })).toEqual([
      'system.process.count{process.state="sleeping"} 2',
      'system.process.count{process.state="running"} 1',
      'system.process.count{process.state="defunct"} 1',
      'system.process.created{} 2915',
      'process.memory.usage{process.executable.name="chrome"} 209715200',
      'process.memory.usage{process.executable.name="node (main) x"} 104857600',
    ]);
  });

  it('are ranked, each by what it takes most of', () => {
    const of = (name: string, user: number, memory: number) => ({ name, memory, utilization: { user, system: 0 } });
    const two = [of('a', 0.4, 1), of('b', 0.3, 5), of('a', 0.1, 1)];
    expect(topReadings(two, 1)).toEqual([
      {
        metricName: 'process.cpu.utilization',
        labels: { 'process.executable.name': 'a', 'cpu.mode': 'user' },
        value: 0.5,
      },
      {
        metricName: 'process.cpu.utilization',
        labels: { 'process.executable.name': 'a', 'cpu.mode': 'system' },
        value: 0,
      },
      { metricName: 'process.memory.usage', labels: { 'process.executable.name': 'b' }, value: 5 },
    ]);
  });

  it('use what they used since the last look, whoever has their number now', async () => {
    const readings = await readAt(
      machineAt(1_000, { 5: { comm: 'old', user: 500 }, 6: { comm: 'busy', user: 10, system: 1 } }),
      machineAt(1_010, {
        // Another one, with the number of one that has ended.
        5: { comm: 'new', user: 2, start: 1_005 },
        6: { comm: 'busy', user: 14, system: 3 },
        // It was there before, but could not be seen.
        7: { comm: 'hidden', user: 900, start: 10 },
      }),
    );
    expect(only(readings, 'process.cpu.utilization')).toEqual([
      'process.cpu.utilization{process.executable.name="busy",cpu.mode="user"} 0.2',
      'process.cpu.utilization{process.executable.name="busy",cpu.mode="system"} 0.1',
      'process.cpu.utilization{process.executable.name="new",cpu.mode="user"} 0.1',
      'process.cpu.utilization{process.executable.name="new",cpu.mode="system"} 0',
    ]);
  });

  it('that share memory count it once', async () => {
    const backends = Object.fromEntries(
      [2, 3, 4, 5].map((pid) => [pid, { comm: 'postgres', pages: 1_100, shared: 1_000 }]),
    );
    const readings = await new GroupReader(
      processes,
      machineAt(1, { ...backends, 6: { comm: 'other', pages: 1_500 } }),
    ).readings();
    expect(values(readings, 'process.memory.usage', 'process.executable.name')).toEqual([
      ['other', 1_500 * 4096],
      ['postgres', 1_400 * 4096],
    ]);
  });

  it.each([
    ['gnome-terminal-', '/usr/libexec/gnome-terminal-server\0', 'gnome-terminal-server'],
    ['very_long_scrip', '/usr/bin/python3\0/opt/very_long_script_name.py\0--fast\0', 'very_long_script_name.py'],
    ['systemd-network', '/usr/lib/systemd/systemd-networkd\0', 'systemd-networkd'],
    // It has written over its command line.
    ['chromium-browse', '/usr/lib/chromium/chromium-browser --type=gpu /x/y', 'chromium-browser'],
    ['kworker/u8:2-ev', '', 'kworker/u8:2-ev'],
    ['renamed-by-itse', '/usr/bin/something-else\0', 'renamed-by-itse'],
    ['größeres-prog\uFFFD', '/usr/bin/größeres-progrämm\0', 'größeres-progrämm'],
  ])('whose name the kernel cuts off at 15 bytes, as %s, have it from their command line', (comm, cmdline, name) => {
    expect(nameByCommand(comm, cmdline)).toBe(name);
  });

  it('have a whole name, read but once, and line feeds in it are escaped', async () => {
    let asked = 0;
    const machine = machineAt(1, {
      2: { comm: 'gnome-terminal-', cmdline: '/usr/libexec/gnome-terminal-server\0' },
      3: { comm: 'two\nlines' },
      // Its memory may be locked for as long as a dead disk keeps it waiting.
      4: { comm: 'waiting-for-dis', state: 'D', cmdline: '/usr/bin/waiting-for-disk\0' },
    });
    const readNow: Machine['readNow'] = (path) => {
      if (path.endsWith('/cmdline')) asked += 1;
      return machine.readNow(path);
    };
    const reader = new GroupReader(processes, { ...machine, readNow });
    await reader.read();
    const names = values(await reader.readings(), 'process.memory.usage', 'process.executable.name').map(
      ([name]) => name,
    );
    expect(names.sort()).toEqual(['gnome-terminal-server', 'two\\nlines', 'waiting-for-dis']);
    expect(asked).toBe(1);
  });

  it('that others hide are said once', async () => {
    const mountinfo = '22 27 0:21 / /proc rw,relatime - proc proc rw,hidepid=invisible\n';
    const hidden = new GroupReader(processes, machineAt(1, { 9: {} }, { 'proc/self/mountinfo': mountinfo }));
    await hidden.read();
    await hidden.read();
    expect(hidden.said).toEqual([
      'processes: /proc is mounted with hidepid, so that only those of the collector’s own user are counted',
    ]);
    const root = new GroupReader(processes, machineAt(1, { 1: {} }, { 'proc/self/mountinfo': mountinfo }));
    await root.read();
    expect(root.said).toEqual([]);
  });

  it('are parsed with whatever their name holds', () => {
    expect(parseStat(statOf(7, { comm: ') R 1 (', state: 'Z', pages: 3 }), 4096)).toMatchObject({
      ...{ pid: 7, name: ') R 1 (', status: 'defunct', memory: 3 * 4096 },
    });
  });
});
