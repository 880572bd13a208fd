import type { Reading } from '@device-metrics/domain';
import type { PcGroup } from './group.js';
import { AnswerError, type Machine } from './machine.js';

/**
 * Asks the Docker Engine API itself: systeminformation gives zeros where the API fails, and of several networks of a container
 * the last only.
 */
export const containers: PcGroup = {
  name: 'containers',
  metrics: [
    'container.cpu.time',
    'container.memory.usage',
    'container.network.io',
    'container.disk.io',
    'container.uptime',
  ],
  configure: (keys) => {
    const named = keys.optionalText('socket');
    return (machine) => async (signal) => {
      const ask: Ask = (path) => machine.askSocket(named ?? dockerSocket(machine), path, signal);
      const running = (await ask('/containers/json').catch((error: unknown) => {
        if (named === undefined && isAbsent(error)) return [];
        throw error;
      })) as RunningContainer[];
      return (await Promise.all(running.map((container) => readContainer(ask, container)))).flat();
    };
  },
};

type Ask = (path: string) => Promise<unknown>;

const dockerSocket = ({ platform }: Machine): string =>
  platform === 'win32' ? '//./pipe/docker_engine' : '/var/run/docker.sock';

const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Of `/containers/json`. */
interface RunningContainer {
  readonly Id: string;
  /** With a slash before each; a link to it from another container has two. */
  readonly Names: readonly string[];
}

async function readContainer(ask: Ask, { Id: id, Names: names }: RunningContainer): Promise<Reading[]> {
  try {
    const [stats, inspected] = await Promise.all([
      // Without one-shot Docker waits a second for a second look.
      ask(`/containers/${id}/stats?stream=false&one-shot=true`),
      ask(`/containers/${id}/json`),
    ]);
    const { State: state } = inspected as { State?: { StartedAt?: string } };
    const name = (names.find((one) => one.lastIndexOf('/') === 0) ?? names[0] ?? id).replace(/^\//, '');
    const uptime = (Date.now() - Date.parse(state?.StartedAt ?? '')) / 1000;
    return containerReadings(name, stats as ContainerStats, uptime);
  } catch (error) {
    // It has ended since the list.
    if (error instanceof AnswerError && (error.status === 404 || error.status === 409)) return [];
    throw error;
  }
}

/** Of `/containers/<id>/stats`; what a platform or a container does not have is missing, null or empty. */
export interface ContainerStats {
  /** Nanoseconds; of Windows containers hundreds of them. */
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  /** Bytes. */
  readonly memory_stats?: { readonly usage?: number; readonly privateworkingset?: number };
  /** Bytes by network. */
  readonly networks?: Readonly<Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>> | null;
  /** Bytes by disk. */
  readonly blkio_stats?: {
    readonly io_service_bytes_recursive?: readonly { readonly op: string; readonly value: number }[] | null;
  };
  /** Bytes; of Windows containers. */
  readonly storage_stats?: { readonly read_size_bytes?: number; readonly write_size_bytes?: number };
  /** 0 for Linux containers. */
  readonly num_procs?: number;
}

/** @param uptime seconds; NaN where it is not known. */
export function containerReadings(container: string, stats: ContainerStats, uptime: number): Reading[] {
  const { cpu_stats, memory_stats, networks, blkio_stats, storage_stats, num_procs = 0 } = stats;
  const reading = (metricName: string, value: number | undefined, labels: Record<string, string> = {}): Reading[] =>
    Number.isFinite(value)
      ? [{ metricName, labels: { 'container.name': container, ...labels }, value: value as number }]
      : [];
  const traffic = (field: 'rx_bytes' | 'tx_bytes'): number | undefined => sum(Object.values(networks ?? {}), field);
  const disk = (operation: string): number | undefined => {
    const all = blkio_stats?.io_service_bytes_recursive ?? [];
    return sum(
      all.filter(({ op }) => op.toLowerCase() === operation),
      'value',
    );
  };
  const perSecond = num_procs > 0 ? 1e7 : 1e9;
  return [
    ...reading('container.cpu.time', (cpu_stats?.cpu_usage?.total_usage ?? NaN) / perSecond),
    ...reading('container.memory.usage', memory_stats?.usage ?? memory_stats?.privateworkingset),
    ...reading('container.network.io', traffic('rx_bytes'), { 'network.io.direction': 'receive' }),
    ...reading('container.network.io', traffic('tx_bytes'), { 'network.io.direction': 'transmit' }),
    ...reading('container.disk.io', disk('read') ?? storage_stats?.read_size_bytes, { 'disk.io.direction': 'read' }),
    ...reading('container.disk.io', disk('write') ?? storage_stats?.write_size_bytes, { 'disk.io.direction': 'write' }),
    ...reading('container.uptime', Math.max(0, uptime)),
  ];
}

/** Undefined of nothing. */
function sum<K extends string>(all: readonly Readonly<Record<K, number>>[], field: K): number | undefined {
  return all.length === 0 ? undefined : all.reduce((total, one) => total + one[field], 0);
}
