import type { Labels, Reading } from '@device-metrics/domain';
import type { PcGroup } from './group.js';
import { readIfThere, readNumber, type Machine } from './machine.js';

/** Whether what is made of several disks has lost one: md arrays, and pools of ZFS and Btrfs. */
export const pools: PcGroup = {
  name: 'pools',
  metrics: ['hw.status', 'hw.errors'],
  slow: 60_000,
  configure: () => (machine) => async () => {
    if (machine.platform !== 'linux') return [];
    return [...(await readArrays(machine)), ...(await readZfs(machine)), ...(await readBtrfs(machine))];
  },
};

type PoolState = 'ok' | 'degraded' | 'failed';

const stateReadings = (labels: Labels, now: PoolState): Reading[] =>
  ['ok', 'degraded', 'failed'].map((state) => {
    const all = { ...labels, 'hw.type': 'logical_disk', 'hw.state': state };
    return { metricName: 'hw.status', labels: all, value: state === now ? 1 : 0 };
  });

/** See the kernel's Documentation/admin-guide/md.rst. */
async function readArrays(machine: Machine): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const name of await machine.list('sys/block')) {
    const folder = `sys/block/${name}/md`;
    const state = name.startsWith('md') ? await readIfThere(machine, `${folder}/array_state`) : undefined;
    // A container of arrays (of Intel's firmware) is none itself, and never active.
    if (state === undefined || (await readIfThere(machine, `${folder}/level`)) === 'container') continue;
    const missing = (await readNumber(machine, `${folder}/degraded`)) ?? 0;
    const failed = ['clear', 'inactive', 'broken'].includes(state);
    // A number of md may change from start to start; newer kernels tell what does not.
    const id = (await readIfThere(machine, `${folder}/uuid`)) || name;
    readings.push(
      ...stateReadings({ 'hw.id': id, 'hw.name': name }, failed ? 'failed' : missing > 0 ? 'degraded' : 'ok'),
    );
  }
  return readings;
}

const ZFS_STATES: Readonly<Record<string, PoolState>> = { ONLINE: 'ok', DEGRADED: 'degraded' };

async function readZfs(machine: Machine): Promise<Reading[]> {
  const folder = 'proc/spl/kstat/zfs';
  const names = await machine.list(folder);
  return names.flatMap((name) => {
    // Beside the pools there are files of counters.
    const state = machine.readNow(`${folder}/${name}/state`)?.trim();
    // Else it is faulted, suspended, or not there.
    return state === undefined ? [] : stateReadings({ 'hw.id': name, 'hw.name': name }, ZFS_STATES[state] ?? 'failed');
  });
}

async function readBtrfs(machine: Machine): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const id of await machine.list('sys/fs/btrfs')) {
    const folder = `sys/fs/btrfs/${id}`;
    const devices = await machine.list(`${folder}/devinfo`);
    // Beside the file systems there is a folder of features.
    if (devices.length === 0) continue;
    const label = await readIfThere(machine, `${folder}/label`);
    const labels = { 'hw.id': id, 'hw.name': label || id };
    const missing = await Promise.all(
      devices.map((device) => readNumber(machine, `${folder}/devinfo/${device}/missing`)),
    );
    readings.push(...stateReadings(labels, missing.includes(1) ? 'degraded' : 'ok'));
    readings.push(
      ...(await btrfsErrors(
        machine,
        devices.map((device) => `${folder}/devinfo/${device}/error_stats`),
        labels,
      )),
    );
  }
  return readings;
}

/** Summed over the disks: lines such as `corruption_errs 3`. */
async function btrfsErrors(machine: Machine, files: readonly string[], labels: Labels): Promise<Reading[]> {
  const counts = new Map<string, number>();
  for (const file of files) {
    for (const [, type = '', count] of ((await readIfThere(machine, file)) ?? '').matchAll(/^(\w+)_errs (\d+)$/gm)) {
      counts.set(type, (counts.get(type) ?? 0) + Number(count));
    }
  }
  return [...counts].map(([type, value]) => {
    return { metricName: 'hw.errors', labels: { ...labels, 'hw.type': 'logical_disk', 'error.type': type }, value };
  });
}
