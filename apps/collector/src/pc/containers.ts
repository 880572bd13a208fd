import type { Reading } from '@device-metrics/domain';
import type { PcGroup } from './group.js';

export const containers: PcGroup = {
  name: 'containers',
  metrics: [
    'container.cpu.time',
    'container.memory.usage',
    'container.network.io',
    'container.disk.io',
    'container.uptime',
  ],
  configure: () => (machine) => async () => {
    const socket = machine.platform === 'win32' || (await machine.list('var/run')).includes('docker.sock');
    if (!socket) return [];
    const running = (await machine.si.dockerContainers(false)).filter(({ state }) => state === 'running');
    const all = await Promise.all(
      running.map(async ({ id, name, started }) => {
        const [stats] = (await machine.si.dockerContainerStats(id)) as unknown as ContainerStats[];
        return stats ? containerReadings(name, stats, Date.now() / 1000 - started) : [];
      }),
    );
    return all.flat();
  },
};

/** What systeminformation passes on of Docker's `/containers/<id>/stats`. */
export interface ContainerStats {
  /** Bytes. */
  readonly memUsage: number;
  /** Bytes. */
  readonly netIO?: { readonly rx: number; readonly wx: number };
  /** Bytes. */
  readonly blockIO?: { readonly r: number; readonly w: number };
  /** Nanoseconds. */
  readonly cpuStats?: { readonly cpu_usage?: { readonly total_usage?: number } };
}

export function containerReadings(container: string, stats: ContainerStats, uptime: number): Reading[] {
  const reading = (metricName: string, value: number | undefined, labels: Record<string, string> = {}): Reading[] =>
    typeof value === 'number' ? [{ metricName, labels: { container, ...labels }, value }] : [];
  const nanoseconds = stats.cpuStats?.cpu_usage?.total_usage;
  return [
    ...reading('container.cpu.time', nanoseconds === undefined ? undefined : nanoseconds / 1e9),
    ...reading('container.memory.usage', stats.memUsage),
    ...reading('container.network.io', stats.netIO?.rx, { direction: 'receive' }),
    ...reading('container.network.io', stats.netIO?.wx, { direction: 'transmit' }),
    ...reading('container.disk.io', stats.blockIO?.r, { direction: 'read' }),
    ...reading('container.disk.io', stats.blockIO?.w, { direction: 'write' }),
    ...reading('container.uptime', Math.max(0, uptime)),
  ];
}
