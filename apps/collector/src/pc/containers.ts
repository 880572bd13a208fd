import { reasonOf, type Reading } from '@device-metrics/domain';
import { patiently, type PcGroup } from './group.js';
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
    'container.memory.working_set',
    'container.memory.limit',
    'container.network.io',
    'container.disk.io',
    'container.uptime',
    'container.restart.count',
    'container.status',
    'container.health',
  ],
  configure: (keys) => {
    const named = keys.optionalText('socket');
    return (machine) => async (signal, parts) => {
      const socket = named ?? dockerSocket(machine);
      const ask: Ask = (path) => patiently(signal, (patience) => machine.askSocket(socket, path, patience));
      const all = (await ask('/containers/json?all=true').catch((error: unknown) => {
        if (named === undefined && isAbsent(error)) return [];
        throw error;
      })) as ListedContainer[];
      const read = all.map(async (container): Promise<Reading[]> => {
        const name = nameOf(container);
        try {
          return [...listReadings(name, container), ...(await readContainer(ask, name, container))];
        } catch (error) {
          // It has ended since the list.
          if (error instanceof AnswerError && (error.status === 404 || error.status === 409)) return [];
          parts.reject(name, reasonOf(error));
          return listReadings(name, container);
        }
      });
      return (await Promise.all(read)).flat();
    };
  },
};

type Ask = (path: string) => Promise<unknown>;

const dockerSocket = ({ platform }: Machine): string =>
  platform === 'win32' ? '//./pipe/docker_engine' : '/var/run/docker.sock';

const isAbsent = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Of `/containers/json`. */
interface ListedContainer {
  readonly Id: string;
  /** With a slash before each; a link to it from another container has two. */
  readonly Names: readonly string[];
  /** One of `STATES`, in small letters. */
  readonly State?: string;
  /** For people, such as `Up 3 hours (healthy)`. */
  readonly Status?: string;
}

const nameOf = ({ Id: id, Names: names }: ListedContainer): string =>
  (names.find((one) => one.lastIndexOf('/') === 0) ?? names[0] ?? id).replace(/^\//, '');

const STATES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];
const HEALTH = ['starting', 'healthy', 'unhealthy'];

function listReadings(name: string, { State: state, Status: status = '' }: ListedContainer): Reading[] {
  if (state === undefined) return [];
  // Of a container that is told to look after itself; `(health: starting)` at first.
  const health = /\((?:health: )?(starting|healthy|unhealthy)\)$/.exec(status)?.[1];
  return [
    ...stateReadings('container.status', 'container.state', name, STATES, state.toLowerCase()),
    ...(health === undefined ? [] : stateReadings('container.health', 'container.health.state', name, HEALTH, health)),
  ];
}

const stateReadings = (metricName: string, label: string, name: string, states: string[], now: string): Reading[] =>
  states.map((state) => {
    return { metricName, labels: { 'container.name': name, [label]: state }, value: state === now ? 1 : 0 };
  });

/** Of `/containers/<id>/json`. */
interface InspectedContainer {
  readonly State?: { readonly Status?: string; readonly Restarting?: boolean; readonly StartedAt?: string };
  readonly RestartCount?: number;
  /** Bytes; 0 where there is no limit. */
  readonly HostConfig?: { readonly Memory?: number };
}

/** Only what runs is asked for more: of the others there may be hundreds, and nothing changes in them. */
async function readContainer(ask: Ask, name: string, { Id: id, State: state }: ListedContainer): Promise<Reading[]> {
  if (state !== undefined && !['running', 'paused', 'restarting'].includes(state)) return [];
  const inspecting = ask(`/containers/${id}/json`) as Promise<InspectedContainer>;
  // Without one-shot Docker waits a second for a second look. What waits for its next start has nothing to measure.
  const measuring = state === 'restarting' ? {} : ask(`/containers/${id}/stats?stream=false&one-shot=true`);
  const [inspected, stats] = await Promise.all([inspecting, measuring as Promise<ContainerStats>]);
  return [
    ...statsReadings(name, stats, inspected.HostConfig?.Memory ?? 0),
    ...uptimeReading(name, inspected.State, state),
    ...restartReading(name, inspected.RestartCount),
  ];
}

/** Since a person started it: Docker's own starts after it ended. */
const restartReading = (name: string, count: number | undefined): Reading[] =>
  count === undefined
    ? []
    : [{ metricName: 'container.restart.count', labels: { 'container.name': name }, value: count }];

/** None while it does not run: a container that ends and is started again and again would always have begun just now. */
function uptimeReading(name: string, inspected: InspectedContainer['State'], listed?: string): Reading[] {
  const state = inspected?.Status ?? listed ?? 'running';
  const seconds = (Date.now() - Date.parse(inspected?.StartedAt ?? '')) / 1000;
  if (state === 'restarting' || inspected?.Restarting === true || !Number.isFinite(seconds)) return [];
  return [{ metricName: 'container.uptime', labels: { 'container.name': name }, value: Math.max(0, seconds) }];
}

/** Of `/containers/<id>/stats`; what a platform or a container does not have is missing, null or empty. */
export interface ContainerStats {
  /** Nanoseconds; of Windows containers hundreds of them. */
  readonly cpu_stats?: {
    readonly cpu_usage?: {
      readonly total_usage?: number;
      readonly usage_in_usermode?: number;
      readonly usage_in_kernelmode?: number;
    };
  };
  /** Bytes. */
  readonly memory_stats?: {
    readonly usage?: number;
    readonly privateworkingset?: number;
    readonly limit?: number;
    /** `inactive_file` with version 2 of control groups, `total_inactive_file` with version 1. */
    readonly stats?: Readonly<Record<string, number>>;
  };
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

/** @param limit of its memory, bytes; 0 where there is none. */
export function statsReadings(name: string, stats: ContainerStats, limit: number): Reading[] {
  const { cpu_stats, memory_stats, networks, blkio_stats, storage_stats, num_procs = 0 } = stats;
  const reading = (metricName: string, value: number | undefined, labels: Record<string, string> = {}): Reading[] =>
    Number.isFinite(value)
      ? [{ metricName, labels: { 'container.name': name, ...labels }, value: value as number }]
      : [];
  const traffic = (field: 'rx_bytes' | 'tx_bytes'): number | undefined => sum(Object.values(networks ?? {}), field);
  const disk = (operation: string): number | undefined => {
    const all = blkio_stats?.io_service_bytes_recursive ?? [];
    return sum(
      all.filter(({ op }) => op.toLowerCase() === operation),
      'value',
    );
  };
  const usage = memory_stats?.usage ?? memory_stats?.privateworkingset;
  return [
    ...cpuTimes(cpu_stats?.cpu_usage ?? {}, num_procs > 0 ? 1e7 : 1e9).flatMap(([mode, seconds]) =>
      reading('container.cpu.time', seconds, mode === '' ? {} : { 'cpu.mode': mode }),
    ),
    ...reading('container.memory.usage', usage),
    ...reading('container.memory.working_set', workingSet(memory_stats)),
    ...reading('container.memory.limit', limit > 0 ? limit : undefined),
    ...reading('container.network.io', traffic('rx_bytes'), { 'network.io.direction': 'receive' }),
    ...reading('container.network.io', traffic('tx_bytes'), { 'network.io.direction': 'transmit' }),
    ...reading('container.disk.io', disk('read') ?? storage_stats?.read_size_bytes, { 'disk.io.direction': 'read' }),
    ...reading('container.disk.io', disk('write') ?? storage_stats?.write_size_bytes, { 'disk.io.direction': 'write' }),
  ];
}

type CpuUsage = NonNullable<NonNullable<ContainerStats['cpu_stats']>['cpu_usage']>;

/** By mode, as the conventions want it where the modes are known; else in all, without a mode. */
function cpuTimes(usage: CpuUsage, perSecond: number): [mode: string, seconds: number][] {
  const { total_usage: total, usage_in_usermode: user = 0, usage_in_kernelmode: system = 0 } = usage;
  if (user + system === 0) return total === undefined ? [] : [['', total / perSecond]];
  return [
    ['user', user / perSecond],
    ['system', system / perSecond],
  ];
}

/** What the kernel cannot take back at once: it is this that meets the limit. */
function workingSet({ usage, stats }: NonNullable<ContainerStats['memory_stats']> = {}): number | undefined {
  const inactive = stats?.['inactive_file'] ?? stats?.['total_inactive_file'];
  return usage === undefined || inactive === undefined ? undefined : Math.max(0, usage - inactive);
}

/** Undefined of nothing. */
function sum<K extends string>(all: readonly Readonly<Record<K, number>>[], field: K): number | undefined {
  return all.length === 0 ? undefined : all.reduce((total, one) => total + one[field], 0);
}
