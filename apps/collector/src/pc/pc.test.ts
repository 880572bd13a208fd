import { describe, expect, it } from '@jest/globals';
import { metricDefinition, type Reading } from '@device-metrics/domain';
import si, { type Systeminformation } from 'systeminformation';
import { Mistakes } from '@device-metrics/settings';
import { PartsOfRun } from '../run/parts.js';
import { Section } from '../config/section.js';
import { battery } from './battery.js';
import { disk } from './disk.js';
import { gpu } from './gpu.js';
import { processes, topReadings } from './processes.js';
import { services } from './services.js';
import { temperature } from './temperature.js';
import { countSessions, users } from './users.js';
import { cpu, parseProcStat, utilizationReadings } from './cpu.js';
import { filesystem } from './filesystem.js';
import { matches, pcSource, type PcGroup } from './group.js';
import { pcGroups } from './groups.js';
import { thisMachine, type Machine } from './machine.js';
import { memory, parseMeminfo } from './memory.js';
import { network } from './network.js';
import { uptime } from './uptime.js';

const LAPTOP = new URL('./testcases/laptop', import.meta.url).pathname;

/** A recorded Linux laptop: its files, and a disk of 1,000 blocks of which 600 are free, 500 for users. */
const laptop: Machine = {
  ...thisMachine(LAPTOP),
  platform: 'linux',
  statfs: () => Promise.resolve({ bsize: 4096, blocks: 1_000, bfree: 600, bavail: 500, files: 100, ffree: 75 }),
  loadavg: () => [0.5, 0.25, 0.125],
};
/** A Mac, by what systeminformation and Node tell there. */
const mac: Machine = {
  ...laptop,
  platform: 'darwin',
  read: (path) => Promise.reject(new Error(`no ${path}`)),
  list: () => Promise.resolve([]),
  cpus: () => [{ speed: 2400, times: { user: 1_000, nice: 0, sys: 2_000, idle: 3_000, irq: 0 } }],
  uptime: () => 100,
  loopbacks: () => ['lo0'],
  si: {
    ...si,
    mem: () =>
      Promise.resolve({
        total: 1_000,
        available: 600,
        free: 100,
        swaptotal: 0,
        swapfree: 0,
      } as Systeminformation.MemData),
    fsStats: () => Promise.resolve({ rx: 5, wx: null } as unknown as Systeminformation.FsStatsData),
    disksIO: () => Promise.resolve(null as unknown as Systeminformation.DisksIoData),
    cpuTemperature: () =>
      Promise.resolve({ main: null, cores: [40] } as unknown as Systeminformation.CpuTemperatureData),
    battery: () => Promise.resolve({ hasBattery: false } as Systeminformation.BatteryData),
    graphics: () =>
      Promise.resolve({
        controllers: [{ model: 'RTX', utilizationGpu: 50, memoryUsed: 1 }],
        displays: [],
      } as unknown as Systeminformation.GraphicsData),
    fsSize: () =>
      Promise.resolve([
        { fs: '/dev/disk1', type: 'APFS', size: 100, used: 30, available: 70, use: 30, mount: '/', rw: true },
        { fs: '/dev/disk2', type: 'APFS', size: 100, used: 100, available: 0, use: 100, mount: '/System', rw: false },
      ]),
    networkStats: () =>
      Promise.resolve(
        ['lo0', 'en0'].map((iface) => ({
          iface,
          rx_bytes: 1,
          rx_errors: 2,
          rx_dropped: null,
          tx_bytes: 3,
          tx_errors: 4,
          tx_dropped: null,
        })) as unknown as Systeminformation.NetworkStatsData[],
      ),
  },
};

function readerOf(group: PcGroup, machine: Machine, keys: object = {}): () => Promise<Reading[]> {
  const mistakes = new Mistakes();
  const read = group.configure(new Section(keys, '', mistakes))(machine);
  expect(mistakes.list).toEqual([]);
  return () => read(new AbortController().signal, new PartsOfRun());
}
const labelsOf = (metric: string): readonly string[] => metricDefinition(metric)?.labels ?? [];
/** Readings in short: `metric{label="value"} value`. */
async function read(group: PcGroup, machine: Machine, keys: object = {}): Promise<string[]> {
  const readings = await readerOf(group, machine, keys)();
  for (const { metricName, labels = {} } of readings) {
    expect(group.metrics).toContain(metricName);
    for (const label of Object.keys(labels)) expect(labelsOf(metricName)).toContain(label);
  }
  return readings.map(({ metricName, labels, value }) => {
    const pairs = Object.entries(labels ?? {}).map(([name, text]) => `${name}="${text}"`);
    return `${metricName}{${pairs.join(',')}} ${value}`;
  });
}
const only = (readings: string[], metric: string): string[] => readings.filter((line) => line.startsWith(`${metric}{`));

describe('the groups of PC metrics', () => {
  it('give only metrics of the catalogue', () => {
    for (const metric of pcGroups.flatMap(({ metrics }) => metrics))
      expect([metric, metricDefinition(metric)?.unit]).not.toContain(undefined);
  });

  it('say once what a machine lacks', async () => {
    const said: string[] = [];
    const source = pcSource(
      memory,
      new Section({}, '', new Mistakes()),
    )({ ...tools, machine: mac, say: (text) => said.push(text) });
    for (let run = 0; run < 3; run += 1) await source.read(new AbortController().signal, new PartsOfRun());
    expect(said).toEqual([
      'memory: this machine does not tell system.memory.linux.available, system.paging.usage, system.paging.utilization, system.paging.faults, system.paging.operations',
    ]);
  });
  const tools = { http: undefined as never };

  it('patterns stand for whole names', () => {
    expect(matches('veth1', ['veth*'])).toBe(true);
    expect(matches('my.eth', ['my+eth', 'm*.e*h'])).toBe(true);
    expect([matches('eth0', ['eth']), matches('a.b', ['a?b'])]).toEqual([false, false]);
  });
});

describe('cpu', () => {
  it('is read from /proc/stat and cpufreq', async () => {
    const readings = await read(cpu, laptop);
    expect(only(readings, 'system.cpu.time').slice(0, 7)).toEqual([
      'system.cpu.time{cpu.logical_number="0",cpu.mode="user"} 25',
      'system.cpu.time{cpu.logical_number="0",cpu.mode="nice"} 2',
      'system.cpu.time{cpu.logical_number="0",cpu.mode="system"} 3',
      'system.cpu.time{cpu.logical_number="0",cpu.mode="idle"} 19',
      'system.cpu.time{cpu.logical_number="0",cpu.mode="iowait"} 0.13',
      'system.cpu.time{cpu.logical_number="0",cpu.mode="interrupt"} 0.23',
      'system.cpu.time{cpu.logical_number="0",cpu.mode="steal"} 0.06',
    ]);
    expect(readings).toEqual(
      expect.arrayContaining([
        'system.cpu.logical.count{} 2',
        'system.cpu.frequency{cpu.logical_number="0"} 2400000000',
        'system.cpu.load_average.15m{} 0.125',
      ]),
    );
    // cpu1 has no frequency, and nothing happened between two readings of a recorded file.
    expect(only(readings, 'system.cpu.frequency')).toHaveLength(1);
    expect(only(readings, 'system.cpu.utilization')).toEqual([]);
  });

  it('is busy for the share that is neither idle nor waiting', () => {
    const before = new Map([
      ['0', { user: 10, idle: 100, iowait: 5 }],
      ['1', { user: 0, idle: 0, iowait: 0 }],
    ]);
    const after = new Map([
      ['0', { user: 13, idle: 106, iowait: 6 }],
      ['1', { user: 10, idle: -1, iowait: 0 }],
    ]);
    expect(
      utilizationReadings(before, after).map(({ labels, value }) => [labels?.['cpu.logical_number'], value]),
    ).toEqual([
      [undefined, 0.65],
      ['0', 0.3],
      ['1', 1],
    ]);
  });

  it('keeps its number where others are switched off and on', async () => {
    const before = parseProcStat('cpu  8 0 0 8\ncpu0 100 0 0 100\ncpu2 500 0 0 500\n');
    const after = parseProcStat('cpu  8 0 0 8\ncpu0 200 0 0 200\ncpu1 9000 0 0 0\ncpu2 800 0 0 600\n');
    expect(
      utilizationReadings(before, after).map(({ labels, value }) => [labels?.['cpu.logical_number'], value]),
    ).toEqual([
      [undefined, 4 / 6],
      ['0', 0.5],
      ['2', 0.75],
    ]);
    const stat = 'cpu1 900 0 0 100\n';
    const readings = await read(cpu, {
      ...laptop,
      read: (path) => (path === 'proc/stat' ? Promise.resolve(stat) : laptop.read(path.replace('cpu1', 'cpu0'))),
    });
    expect(readings).toEqual(
      expect.arrayContaining([
        'system.cpu.time{cpu.logical_number="1",cpu.mode="user"} 9',
        'system.cpu.frequency{cpu.logical_number="1"} 2400000000',
      ]),
    );
  });

  it('outside Linux is what Node tells', async () => {
    expect(only(await read(cpu, mac), 'system.cpu.time')).toContain(
      'system.cpu.time{cpu.logical_number="0",cpu.mode="system"} 2',
    );
    expect(only(await read(cpu, { ...mac, platform: 'win32' }), 'system.cpu.load_average.1m')).toEqual([]);
  });
});

it('memory is read from /proc/meminfo and /proc/vmstat', async () => {
  expect(await read(memory, laptop)).toEqual([
    'system.memory.limit{} 16777216000',
    'system.memory.linux.available{} 9437184000',
    'system.memory.usage{system.memory.state="used"} 7340032000',
    'system.memory.utilization{system.memory.state="used"} 0.4375',
    'system.memory.usage{system.memory.state="free"} 2097152000',
    'system.memory.utilization{system.memory.state="free"} 0.125',
    'system.memory.usage{system.memory.state="buffers"} 524288000',
    'system.memory.utilization{system.memory.state="buffers"} 0.03125',
    'system.memory.usage{system.memory.state="cached"} 6448742400',
    'system.memory.utilization{system.memory.state="cached"} 0.384375',
    'system.paging.usage{system.paging.state="used"} 1048576000',
    'system.paging.utilization{system.paging.state="used"} 0.25',
    'system.paging.usage{system.paging.state="free"} 3145728000',
    'system.paging.utilization{system.paging.state="free"} 0.75',
    'system.paging.faults{system.paging.fault.type="major"} 2599',
    'system.paging.faults{system.paging.fault.type="minor"} 13065960',
    'system.paging.operations{system.paging.direction="in"} 120',
    'system.paging.operations{system.paging.direction="out"} 340',
  ]);
  expect(parseMeminfo('MemTotal: 10 kB\nMemFree: 3 kB\nBuffers: 1 kB\nCached: 2 kB\n').available).toBe(6 * 1024);
  expect(only(await read(memory, mac), 'system.memory.usage')).toEqual([
    'system.memory.usage{system.memory.state="used"} 400',
    'system.memory.usage{system.memory.state="free"} 100',
  ]);
});

describe('filesystem', () => {
  const mountpoints = async (keys: object): Promise<string[]> => {
    const readings = await readerOf(filesystem, laptop, keys)();
    return [...new Set(readings.map(({ labels }) => labels?.['system.filesystem.mountpoint'] ?? ''))];
  };

  const LABELS =
    'system.device="/dev/nvme0n1p2",system.filesystem.mountpoint="/",system.filesystem.type="ext4",system.filesystem.mode="rw"';

  it('tells space and inodes', async () => {
    expect((await read(filesystem, laptop)).slice(0, 7)).toEqual(
      [
        'limit{L} 4096000',
        `utilization{L} ${400 / 900}`,
        'usage{L,system.filesystem.state="used"} 1638400',
        'usage{L,system.filesystem.state="free"} 2048000',
        'usage{L,system.filesystem.state="reserved"} 409600',
        'inodes.usage{L,system.filesystem.state="used"} 25',
        'inodes.usage{L,system.filesystem.state="free"} 75',
      ].map((line) => `system.filesystem.${line.replace('L', LABELS)}`),
    );
    expect(only(await read(filesystem, mac), 'system.filesystem.limit')).toHaveLength(1);
  });

  it('leaves out virtual, read-only and remote ones, and each device but once, unless told otherwise', async () => {
    const usual = ['/', '/boot/efi', '/media/my disk'];
    expect(await mountpoints({})).toEqual(usual);
    expect(await mountpoints({ exclude: ['/boot/*'] })).toEqual(['/', '/media/my disk']);
    expect(await mountpoints({ remote: true })).toEqual([...usual, '/srv/nas']);
    expect(await mountpoints({ read_only: true })).toEqual([...usual, '/mnt/stick']);
    expect(await mountpoints({ virtual: true })).toEqual(['/proc', ...usual, '/tmp']);
  });
});

describe('network', () => {
  it('is read from /proc/net/dev', async () => {
    const readings = await read(network, laptop);
    expect(readings.slice(0, 8)).toEqual([
      'system.network.io{network.interface.name="eth0",network.io.direction="receive"} 482825913',
      'system.network.packet.count{network.interface.name="eth0",network.io.direction="receive"} 16481',
      'system.network.errors{network.interface.name="eth0",network.io.direction="receive"} 1',
      'system.network.packet.dropped{network.interface.name="eth0",network.io.direction="receive"} 2',
      'system.network.io{network.interface.name="eth0",network.io.direction="transmit"} 1637167',
      'system.network.packet.count{network.interface.name="eth0",network.io.direction="transmit"} 11217',
      'system.network.errors{network.interface.name="eth0",network.io.direction="transmit"} 3',
      'system.network.packet.dropped{network.interface.name="eth0",network.io.direction="transmit"} 4',
    ]);
    expect(only(readings, 'system.network.io').map((line) => line.split('"')[1])).toEqual([
      'eth0',
      'eth0',
      'wlan0',
      'wlan0',
    ]);
    expect(
      only(await read(network, laptop, { loopback: true, exclude: ['w*'] }), 'system.network.errors'),
    ).toHaveLength(6);
  });

  it('outside Linux leaves out what the platform does not tell', async () => {
    expect(await read(network, mac)).toEqual([
      'system.network.io{network.interface.name="en0",network.io.direction="receive"} 1',
      'system.network.errors{network.interface.name="en0",network.io.direction="receive"} 2',
      'system.network.io{network.interface.name="en0",network.io.direction="transmit"} 3',
      'system.network.errors{network.interface.name="en0",network.io.direction="transmit"} 4',
    ]);
  });
});

it('uptime is read from /proc/uptime and /proc/stat', async () => {
  expect(await read(uptime, laptop)).toEqual(['system.uptime{} 3384.85', 'system.boot_time{} 1768471200']);
  expect(only(await read(uptime, mac), 'system.uptime')).toEqual(['system.uptime{} 100']);
});

it('disk is read from /proc/diskstats, without partitions and loop devices', async () => {
  expect(await read(disk, laptop)).toEqual([
    'system.disk.io{system.device="nvme0n1",disk.io.direction="read"} 1958102016',
    'system.disk.io{system.device="nvme0n1",disk.io.direction="write"} 2123747328',
    'system.disk.operations{system.device="nvme0n1",disk.io.direction="read"} 78607',
    'system.disk.operations{system.device="nvme0n1",disk.io.direction="write"} 8305',
    'system.disk.merged{system.device="nvme0n1",disk.io.direction="read"} 16660',
    'system.disk.merged{system.device="nvme0n1",disk.io.direction="write"} 168085',
    'system.disk.operation_time{system.device="nvme0n1",disk.io.direction="read"} 30.934',
    'system.disk.operation_time{system.device="nvme0n1",disk.io.direction="write"} 19.289',
    'system.disk.io_time{system.device="nvme0n1"} 10.164',
  ]);
  expect(await read(disk, laptop, { exclude: ['nvme*'] })).toHaveLength(9);
  expect(await read(disk, mac)).toEqual(['system.disk.io{system.device="all",disk.io.direction="read"} 5']);
});

it('temperatures and fans are read from /sys/class/hwmon, or else from thermal zones', async () => {
  expect(await read(temperature, laptop)).toEqual([
    'hw.temperature{hw.id="hwmon0/temp1",hw.name="Package id 0",hw.parent="coretemp"} 45.5',
    'hw.temperature{hw.id="hwmon0/temp2",hw.name="temp2",hw.parent="coretemp"} -3',
    'hw.fan.speed{hw.id="hwmon1/fan1",hw.name="fan1",hw.parent="thinkpad"} 2850',
  ]);
  const board: Machine = {
    ...laptop,
    list: (path) => Promise.resolve(path === 'sys/class/thermal' ? ['thermal_zone0', 'cooling_device0'] : []),
    read: (path) => Promise.resolve(path.endsWith('type') ? 'x86_pkg_temp\n' : '51000\n'),
  };
  expect(await read(temperature, board)).toEqual(['hw.temperature{hw.id="thermal_zone0",hw.name="x86_pkg_temp"} 51']);
  expect(await read(temperature, mac)).toEqual(['hw.temperature{hw.id="core 0"} 40']);
});

it('a battery is read from /sys/class/power_supply', async () => {
  expect(await read(battery, laptop)).toEqual([
    'hw.battery.charge{hw.id="BAT0"} 0.8',
    'hw.battery.time_left{hw.id="BAT0",hw.state="discharging",hw.battery.state="discharging"} 14400',
    'hw.status{hw.id="BAT0",hw.type="battery",hw.state="charging"} 0',
    'hw.status{hw.id="BAT0",hw.type="battery",hw.state="discharging"} 1',
    'hw.status{hw.id="BAT0",hw.type="battery",hw.state="full"} 0',
  ]);
  expect(await read(battery, mac)).toEqual([]);
});

it('a graphics card is read from /sys/class/drm, and NVIDIA through systeminformation', async () => {
  expect(await read(gpu, laptop)).toEqual([
    'hw.gpu.utilization{hw.id="card0"} 0.37',
    'hw.gpu.memory.usage{hw.id="card0"} 536870912',
    'hw.gpu.memory.limit{hw.id="card0"} 8589934592',
  ]);
  expect(await read(gpu, mac)).toEqual([
    'hw.gpu.utilization{hw.id="0",hw.name="RTX"} 0.5',
    'hw.gpu.memory.usage{hw.id="0",hw.name="RTX"} 1048576',
  ]);
});

describe('processes', () => {
  it('are counted by status, and those of one program taken together', async () => {
    expect(await read(processes, laptop, { top: 2 })).toEqual([
      'system.process.count{process.state="sleeping"} 2',
      'system.process.count{process.state="running"} 1',
      'system.process.count{process.state="defunct"} 1',
      'system.process.created{} 2915',
      'process.memory.usage{process.executable.name="chrome"} 209715200',
      'process.memory.usage{process.executable.name="node (main) x"} 104857600',
    ]);
  });

  it('tell the share of all processors that each program used since the last look', async () => {
    const readings = await readerOf(processes, thisMachine())();
    const shares = readings.filter(({ metricName }) => metricName === 'process.cpu.utilization');
    for (const { value } of shares) expect(value).toBeLessThanOrEqual(1.2);
    const two = [
      { pid: 1, name: 'a', status: 'running', utilization: 0.1, memory: 1 },
      { pid: 2, name: 'b', status: 'running', utilization: 0.3, memory: 0 },
      { pid: 3, name: 'a', status: 'running', utilization: 0.4, memory: 1 },
    ];
    expect(topReadings(two, 1)).toEqual([
      { metricName: 'process.cpu.utilization', labels: { 'process.executable.name': 'a' }, value: 0.5 },
      { metricName: 'process.memory.usage', labels: { 'process.executable.name': 'a' }, value: 2 },
    ]);
  });
});

it('services are the systemd units that the configuration names', async () => {
  const asked: string[] = [];
  const output =
    'Id=nginx.service\nLoadState=loaded\nActiveState=failed\n\nId=gone.service\nLoadState=not-found\nActiveState=inactive\n';
  const run: Machine['run'] = (program, args) => {
    asked.push(program, ...args);
    return Promise.resolve(output);
  };
  const readings = await read(services, { ...laptop, run }, { units: ['nginx', 'gone.service'] });
  expect(asked.slice(-2)).toEqual(['nginx.service', 'gone.service']);
  expect(readings.filter((line) => !line.endsWith(' 0'))).toEqual([
    'systemd.unit.state{systemd.unit.name="nginx.service",systemd.unit.active_state="failed"} 1',
  ]);
  expect(readings).toHaveLength(6);
});

it('users are the sessions of utmp', async () => {
  const utmp = Buffer.alloc(4 * 384);
  [7, 8, 7, 2].forEach((type, record) => utmp.writeInt16LE(type, record * 384));
  expect(countSessions(utmp)).toBe(2);
  expect(await read(users, { ...laptop, readBytes: () => Promise.resolve(utmp) })).toEqual(['system.user.count{} 2']);
  expect(await read(users, laptop)).toEqual([]);
});

it('every group reads this machine', async () => {
  for (const group of pcGroups) {
    const read = readerOf(group, thisMachine(), group === services ? { units: ['cron'] } : {});
    const outcome = await read().then(
      () => 'read',
      (error: unknown) => (group === services ? 'read' : String(error)),
    );
    expect([group.name, outcome]).toEqual([group.name, 'read']);
  }
});
