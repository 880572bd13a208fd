import { describe, expect, it } from '@jest/globals';
import si from 'systeminformation';
import { Mistakes } from '@device-metrics/settings';
import { PartsOfRun } from '../run/parts.js';
import { Section } from '../config/section.js';
import { pcSource } from './group.js';
import { pcGroups } from './groups.js';
import { thisMachine, type Machine } from './machine.js';

/** Everything that only Linux has fails, so that a group that reads it is seen. */
const notLinux: Machine = {
  ...thisMachine(),
  read: (path) => Promise.reject(new Error(`there is no ${path}`)),
  readBytes: (path) => Promise.reject(new Error(`there is no ${path}`)),
  readNow: () => undefined,
  run: (program) => Promise.reject(new Error(`there is no ${program}`)),
  statfs: (path) => Promise.reject(new Error(`there is no ${path}`)),
  list: () => Promise.resolve([]),
  askSocket: (path) => Promise.reject(Object.assign(new Error(`connect ENOENT ${path}`), { code: 'ENOENT' })),
  uptime: () => 3_600,
};

/** What systeminformation and Node tell: the fields that the groups use, in the shapes of its documentation. */
const answers = (of: Record<string, unknown>): typeof si => {
  const calls = Object.entries(of).map(([name, result]) => [name, () => Promise.resolve(result)] as const);
  return { ...si, ...Object.fromEntries(calls) };
};

/** A MacBook Air with two processors, without the addons for temperatures. */
const macBook: Machine = {
  ...notLinux,
  platform: 'darwin',
  cpus: () =>
    [1, 2].map((load) => ({ speed: 2_400, times: { user: load * 1_000, nice: 0, sys: 500, idle: 9_000, irq: 0 } })),
  loadavg: () => [1.5, 1.25, 1],
  loopbacks: () => ['lo0'],
  si: answers({
    mem: { total: 8_000, free: 200, used: 7_800, available: 3_000, swaptotal: 2_000, swapused: 500, swapfree: 1_500 },
    fsSize: [
      { fs: '/dev/disk3s1s1', type: 'APFS', size: 1_000, used: 10, available: 400, use: 2, mount: '/', rw: false },
      { fs: '/dev/disk3s5', type: 'APFS', size: 1_000, used: 500, available: 400, use: 56, mount: '/Data', rw: true },
      {
        fs: '//nas/home',
        type: 'smbfs',
        size: 9_000,
        used: 1,
        available: 8_999,
        use: 0,
        mount: '/Volumes/h',
        rw: true,
      },
      { fs: 'map auto_home', type: 'autofs', size: 0, used: 0, available: 0, use: 100, mount: '/home', rw: true },
      { fs: 'devfs', type: 'devfs', size: 200, used: 200, available: 0, use: 100, mount: '/dev', rw: true },
    ],
    fsStats: { rx: 4_096, wx: 8_192, tx: 12_288, rx_sec: null, wx_sec: null, tx_sec: null, ms: 0 },
    disksIO: { rIO: 10, wIO: 20, tIO: 30, rIO_sec: null, wIO_sec: null, tIO_sec: null, ms: 0 },
    networkStats: ['lo0', 'en0'].map((iface) => {
      const received = { rx_bytes: 100, rx_dropped: 7, rx_errors: 1 };
      return { iface, operstate: 'up', ...received, tx_bytes: 200, tx_dropped: 7, tx_errors: 2, rx_sec: null };
    }),
    cpuTemperature: { main: null, cores: [], max: null, socket: [], chipset: null },
    battery: { hasBattery: true, isCharging: false, acConnected: false, percent: 80, timeRemaining: 120 },
    graphics: { controllers: [{ vendor: 'Apple', model: 'Apple M2', bus: 'Built-In', vram: null }], displays: [] },
    processes: {
      list: [
        { pid: 1, name: 'launchd', cpu: 0, mem: 0.1, memRss: 10, state: 'sleeping' },
        { pid: 400, name: 'Safari', cpu: 150, mem: 5, memRss: 500, state: 'running' },
      ],
    },
    services: [
      { name: 'cupsd', running: true, startmode: '', pids: [321], cpu: 0, mem: 0 },
      { name: 'sshd', running: false, startmode: '', pids: [], cpu: 0, mem: 0 },
    ],
    users: [{ user: 'ada', tty: 'console', date: '2026-01-15', time: '09:00', ip: '', command: '' }],
  }),
};

/** A desktop PC with Windows, a NVIDIA card and Docker, read without the rights of an administrator. */
const windowsPc: Machine = {
  ...notLinux,
  platform: 'win32',
  cpus: () => [{ speed: 3_600, times: { user: 1_000, nice: 0, sys: 500, idle: 9_000, irq: 250 } }],
  loadavg: () => [0, 0, 0],
  loopbacks: () => ['Loopback Pseudo-Interface 1'],
  askSocket: (socket, path) => {
    if (socket !== '//./pipe/docker_engine') return Promise.reject(new Error(`there is no ${socket}`));
    if (path.startsWith('/containers/json')) return Promise.resolve([{ Id: 'c1', Names: ['/web'] }]);
    return Promise.resolve(path.includes('/stats') ? { memory_stats: { usage: 4_096 } } : {});
  },
  si: answers({
    mem: { total: 16_000, free: 4_000, used: 12_000, available: 6_000, swaptotal: 0, swapused: 0, swapfree: 0 },
    fsSize: [
      { fs: 'C:', type: 'NTFS', size: 1_000, used: 300, available: 700, use: 30, mount: 'C:', rw: null },
      { fs: 'D:', type: 'UDF', size: 500, used: 500, available: 0, use: 100, mount: 'D:', rw: false },
    ],
    fsStats: null,
    disksIO: null,
    networkStats: ['Loopback Pseudo-Interface 1', 'Ethernet'].map((iface) => {
      const received = { rx_bytes: 100, rx_dropped: 3, rx_errors: 1 };
      return { iface, operstate: 'up', ...received, tx_bytes: 200, tx_dropped: 4, tx_errors: 2, rx_sec: null };
    }),
    cpuTemperature: { main: null, cores: [], max: null, socket: [], chipset: null },
    battery: { hasBattery: false, isCharging: false, acConnected: true, percent: 0, timeRemaining: null },
    graphics: {
      controllers: [
        {
          ...{ vendor: 'NVIDIA', model: 'GeForce RTX 3060', vram: 12_288, utilizationGpu: 25 },
          ...{ memoryUsed: 1, memoryTotal: 12, powerDraw: 30.5, temperatureGpu: 41 },
        },
        { vendor: 'Intel', model: 'UHD Graphics', vram: 1_024 },
      ],
      displays: [],
    },
    processes: {
      list: [
        { pid: 4, name: 'System', cpu: 2, mem: 0, memRss: 1, state: 'unknown' },
        { pid: 90, name: 'chrome.exe', cpu: 40, mem: 2, memRss: 300, state: 'unknown' },
        { pid: 91, name: 'chrome.exe', cpu: 10, mem: 2, memRss: 200, state: 'unknown' },
      ],
    },
    services: [
      { name: 'spooler', running: true, startmode: 'Auto', pids: [1_234], cpu: 0, mem: 0 },
      { name: 'w32time', running: false, startmode: 'Manual', pids: [0], cpu: 0, mem: 0 },
      { name: 'typo', running: false, startmode: '', pids: [], cpu: 0, mem: 0 },
    ],
    users: [],
  }),
};

/** What every group gives in its first run, and what is said in three. */
async function readAll(
  machine: Machine,
  units: readonly string[],
): Promise<{ readings: Record<string, string[]>; said: string[] }> {
  const said: string[] = [];
  const readings: Record<string, string[]> = {};
  for (const group of pcGroups) {
    const keys = new Section(group.name === 'services' ? { units } : {}, '', new Mistakes());
    const source = pcSource(group, keys)({ machine, say: (text) => said.push(text) });
    for (let run = 0; run < 3; run += 1) {
      const all = await source.read(new AbortController().signal, new PartsOfRun());
      readings[group.name] ??= all.map(({ metricName, labels, value }) => {
        return [metricName, ...Object.values(labels ?? {}), value].join(' ');
      });
    }
  }
  return { readings, said };
}

const states = (unit: string, now: string): string[] =>
  ['active', 'reloading', 'inactive', 'failed', 'activating', 'deactivating'].map((state) => {
    return `systemd.unit.state ${unit} ${state} ${state === now ? 1 : 0}`;
  });

describe('what a platform lacks is absent, not zero, and said once', () => {
  it('on macOS', async () => {
    const { readings, said } = await readAll(macBook, ['cupsd', 'sshd']);
    const { uptime, ...others } = readings;
    expect(uptime).toEqual(['system.uptime 3600', expect.stringMatching(/^system\.boot_time \d{10}$/)]);
    expect(others).toEqual({
      cpu: [
        ...['user 1', 'system 0.5', 'idle 9', 'nice 0'].map((mode) => `system.cpu.time 0 ${mode}`),
        ...['user 2', 'system 0.5', 'idle 9', 'nice 0'].map((mode) => `system.cpu.time 1 ${mode}`),
        'system.cpu.logical.count 2',
        'system.cpu.frequency 0 2400000000',
        'system.cpu.frequency 1 2400000000',
        'system.cpu.load_average.1m 1.5',
        'system.cpu.load_average.5m 1.25',
        'system.cpu.load_average.15m 1',
      ],
      memory: [
        'system.memory.limit 8000',
        'system.memory.usage used 5000',
        'system.memory.utilization used 0.625',
        'system.memory.usage free 200',
        'system.memory.utilization free 0.025',
        'system.memory.usage cached 2800',
        'system.memory.utilization cached 0.35',
        'system.paging.usage used 500',
        'system.paging.utilization used 0.25',
        'system.paging.usage free 1500',
        'system.paging.utilization free 0.75',
      ],
      filesystem: [
        'system.filesystem.limit /dev/disk3s5 /Data APFS rw 1000',
        `system.filesystem.utilization /dev/disk3s5 /Data APFS rw ${500 / 900}`,
        'system.filesystem.usage /dev/disk3s5 /Data APFS rw used 500',
        'system.filesystem.usage /dev/disk3s5 /Data APFS rw free 400',
      ],
      disk: [
        'system.disk.io all read 4096',
        'system.disk.io all write 8192',
        'system.disk.operations all read 10',
        'system.disk.operations all write 20',
      ],
      network: [
        'system.network.io en0 receive 100',
        'system.network.errors en0 receive 1',
        'system.network.io en0 transmit 200',
        'system.network.errors en0 transmit 2',
        'system.network.packet.dropped en0 transmit 7',
      ],
      temperature: [],
      pressure: [],
      disk_health: [],
      pools: [],
      battery: [
        'hw.battery.charge battery 0.8',
        'hw.battery.time_left battery discharging discharging 7200',
        'hw.status battery battery charging 0',
        'hw.status battery battery discharging 1',
        'hw.status battery battery full 0',
        'hw.status battery battery not_charging 0',
      ],
      gpu: [],
      processes: [
        'system.process.count sleeping 1',
        'system.process.count running 1',
        'process.cpu.utilization Safari 0.75',
        'process.memory.usage Safari 512000',
        'process.memory.usage launchd 10240',
      ],
      containers: [],
      services: [...states('cupsd', 'active'), ...states('sshd', 'inactive')],
      users: ['system.user.count 1'],
    });
    expect(said).toEqual([
      'cpu: this machine does not tell system.cpu.utilization',
      'memory: this machine does not tell system.memory.linux.available, system.paging.faults, system.paging.operations',
      'pressure: this machine does not tell system.linux.pressure.time',
      'filesystem: this machine does not tell system.filesystem.inodes.usage',
      'disk: this machine does not tell system.disk.merged, system.disk.operation_time, system.disk.io_time',
      'disk_health: this machine does not tell hw.status, hw.physical_disk.endurance_utilization, hw.physical_disk.smart, hw.temperature',
      'pools: this machine does not tell hw.status, hw.errors',
      'network: this machine does not tell system.network.packet.count',
      'temperature: this machine does not tell hw.temperature, hw.temperature.limit, hw.fan.speed',
      'gpu: this machine does not tell hw.gpu.utilization, hw.gpu.memory.usage, hw.gpu.memory.limit, hw.power, hw.temperature',
      'processes: this machine does not tell system.process.created',
      'containers: this machine does not tell container.cpu.time, container.memory.usage, container.memory.working_set, container.memory.limit, container.network.io, container.disk.io, container.uptime, container.restart.count, container.status, container.health',
      'services: this machine does not tell systemd.unit.count',
    ]);
  });

  it('on Windows', async () => {
    const { readings, said } = await readAll(windowsPc, ['spooler', 'w32time']);
    const { uptime, ...others } = readings;
    expect(uptime).toHaveLength(2);
    expect(others).toEqual({
      cpu: [
        ...['user 1', 'system 0.25', 'idle 9', 'interrupt 0.25'].map((mode) => `system.cpu.time 0 ${mode}`),
        'system.cpu.logical.count 1',
        'system.cpu.frequency 0 3600000000',
      ],
      memory: [
        'system.memory.limit 16000',
        'system.memory.usage used 10000',
        'system.memory.utilization used 0.625',
        'system.memory.usage free 4000',
        'system.memory.utilization free 0.25',
        'system.memory.usage cached 2000',
        'system.memory.utilization cached 0.125',
      ],
      filesystem: [
        'system.filesystem.limit C: C: NTFS rw 1000',
        'system.filesystem.utilization C: C: NTFS rw 0.3',
        'system.filesystem.usage C: C: NTFS rw used 300',
        'system.filesystem.usage C: C: NTFS rw free 700',
      ],
      disk: [],
      network: [
        'system.network.io Ethernet receive 100',
        'system.network.errors Ethernet receive 1',
        'system.network.packet.dropped Ethernet receive 3',
        'system.network.io Ethernet transmit 200',
        'system.network.errors Ethernet transmit 2',
        'system.network.packet.dropped Ethernet transmit 4',
      ],
      temperature: [],
      pressure: [],
      disk_health: [],
      pools: [],
      battery: [],
      gpu: [
        'hw.gpu.utilization 0 GeForce RTX 3060 0.25',
        'hw.gpu.memory.usage 0 GeForce RTX 3060 1048576',
        'hw.gpu.memory.limit 0 GeForce RTX 3060 12582912',
        'hw.power 0 GeForce RTX 3060 gpu 30.5',
        'hw.temperature 0 GeForce RTX 3060 41',
      ],
      processes: [
        'system.process.count unknown 3',
        'process.cpu.utilization chrome.exe 0.5',
        'process.cpu.utilization System 0.02',
        'process.memory.usage chrome.exe 512000',
        'process.memory.usage System 1024',
      ],
      containers: ['container.memory.usage web 4096'],
      services: [...states('spooler', 'active'), ...states('w32time', 'inactive')],
      users: ['system.user.count 0'],
    });
    expect(said.map((line) => line.split(':')[0])).toEqual([
      ...[
        'cpu',
        'memory',
        'pressure',
        'filesystem',
        'disk',
        'disk_health',
        'pools',
        'network',
        'temperature',
        'battery',
      ],
      ...['processes', 'containers', 'services'],
    ]);
    expect(said).toContain(
      'disk: this machine does not tell system.disk.io, system.disk.operations, system.disk.merged, system.disk.operation_time, system.disk.io_time',
    );
  });
});
