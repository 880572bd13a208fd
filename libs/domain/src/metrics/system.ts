import { counter, gauge, updowncounter, type Metrics, type OneNumber } from './definition.js';

const USED: OneNumber = { as: 'share', states: ['used'] };
const BUSY = { as: 'share', states: ['user', 'nice', 'system', 'interrupt', 'softirq', 'steal'] } as const;
const ALL: OneNumber = { as: 'sum' };

const FILESYSTEM = [
  'system.device',
  'system.filesystem.mountpoint',
  'system.filesystem.type',
  'system.filesystem.mode',
] as const;
const SPACE = [...FILESYSTEM, 'system.filesystem.state'];
const WHOLE_DISK = ['system.device', 'system.device.stacked', 'hw.id'] as const;
const DISK = [...WHOLE_DISK, 'disk.io.direction'];
const NETWORK = ['network.interface.name', 'network.io.direction'];

/** Of an operating system, its processes and its services. */
export const systemMetrics: Metrics = {
  'system.cpu.utilization': gauge('1', 'Share of time that the processors were busy since the last reading.', [
    'cpu.logical_number',
  ]),
  'system.cpu.mode.utilization': gauge(
    '1',
    'Share of time that a processor spent in each mode that is not idle.',
    ['cpu.logical_number', 'cpu.mode'],
    { as: 'sum', states: BUSY.states },
  ),
  'system.cpu.time': counter(
    's',
    'Time that a processor spent in each mode.',
    ['cpu.logical_number', 'cpu.mode'],
    BUSY,
  ),
  'system.cpu.logical.count': updowncounter('{cpu}', 'Logical processors.'),
  'system.cpu.frequency': gauge('Hz', 'Frequency of a processor.', ['cpu.logical_number']),
  'system.cpu.load_average.1m': gauge('{thread}', 'Threads that ran or waited to, mean of 1 minute.'),
  'system.cpu.load_average.5m': gauge('{thread}', 'Threads that ran or waited to, mean of 5 minutes.'),
  'system.cpu.load_average.15m': gauge('{thread}', 'Threads that ran or waited to, mean of 15 minutes.'),
  'system.memory.usage': updowncounter('By', 'Memory by state.', ['system.memory.state'], USED),
  'system.memory.utilization': gauge('1', 'Share of the memory by state.', ['system.memory.state'], USED),
  'system.memory.limit': updowncounter('By', 'Memory that is installed.'),
  'system.memory.linux.available': updowncounter('By', 'Memory that programs could claim without swapping.'),
  'system.paging.usage': updowncounter('By', 'Swap space by state.', ['system.paging.state'], USED),
  'system.paging.utilization': gauge('1', 'Share of the swap space by state.', ['system.paging.state'], USED),
  'system.paging.faults': counter('{fault}', 'Page faults, by type.', ['system.paging.fault.type']),
  'system.paging.operations': counter('{operation}', 'Pages swapped in and out.', ['system.paging.direction']),
  'system.filesystem.usage': updowncounter('By', 'Space of a file system by state.', SPACE, USED),
  'system.filesystem.utilization': gauge('1', 'Share of a file system that is used.', FILESYSTEM),
  'system.filesystem.limit': updowncounter('By', 'Size of a file system.', FILESYSTEM),
  'system.filesystem.inodes.usage': updowncounter('{inode}', 'Inodes of a file system by state.', SPACE, USED),
  'system.disk.io': counter('By', 'Bytes read from and written to a disk.', DISK),
  'system.disk.operations': counter('{operation}', 'Reads and writes of a disk.', DISK),
  'system.disk.merged': counter('{operation}', 'Reads and writes that the system merged into others.', DISK),
  'system.disk.operation_time': counter('s', 'Time that reads and writes of a disk took, summed.', DISK),
  'system.disk.io_time': counter('s', 'Time that a disk was busy.', WHOLE_DISK),
  'system.network.io': counter('By', 'Bytes through a network interface, by direction.', NETWORK),
  'system.network.packet.count': counter('{packet}', 'Packets through a network interface, by direction.', [
    ...NETWORK,
    'cast',
  ]),
  'system.network.errors': counter('{error}', 'Errors of a network interface, by direction.', NETWORK),
  'system.network.packet.dropped': counter(
    '{packet}',
    'Packets that a network interface dropped, by direction.',
    NETWORK,
  ),
  'system.uptime': gauge('s', 'Time since the operating system started.'),
  'system.boot_time': gauge('s', 'When the operating system started, Unix time.'),
  'system.process.count': updowncounter('{process}', 'Processes by state.', ['process.state'], ALL),
  'system.process.created': counter('{process}', 'Processes and threads that were ever started.'),
  'system.user.count': updowncounter('{user}', 'People who are logged in.'),
  'system.linux.pressure.time': counter('s', 'Time that work waited for a resource.', [
    'system.linux.pressure.resource',
    'system.linux.pressure.type',
  ]),
  'process.cpu.utilization': gauge(
    '1',
    'Share of all processors that a program used since the last reading, by mode.',
    ['process.executable.name', 'cpu.mode'],
    ALL,
  ),
  'process.cpu.time': counter('s', 'Processor time of a program, by mode.', ['service.name', 'cpu.mode']),
  'process.memory.usage': updowncounter('By', 'Physical memory of a program.', [
    'process.executable.name',
    'service.name',
  ]),
  'systemd.unit.count': updowncounter('{unit}', 'Units of systemd by state.', ['systemd.unit.active_state'], {
    as: 'sum',
    states: ['failed'],
  }),
  'systemd.unit.state': updowncounter(
    '1',
    '1 for the state that a systemd unit is in, 0 for the others.',
    ['systemd.unit.name', 'systemd.unit.active_state'],
    { as: 'state' },
  ),
  'container.cpu.time': counter('s', 'Processor time of a container, by mode.', ['container.name', 'cpu.mode']),
  'container.cpu.usage': gauge('{cpu}', 'Processors that a container kept busy.', ['container.name']),
  'container.memory.utilization': gauge('1', 'Share of its limit that the memory of a container has.', [
    'container.name',
  ]),
  'container.memory.usage': updowncounter('By', 'Memory of a container.', ['container.name']),
  'container.memory.working_set': updowncounter(
    'By',
    'Memory of a container that the system cannot take back at once.',
    ['container.name'],
  ),
  'container.memory.limit': updowncounter('By', 'Memory that a container may use; absent where it has no limit.', [
    'container.name',
  ]),
  'container.network.io': counter('By', 'Bytes through the network of a container, by direction.', [
    'container.name',
    'network.io.direction',
  ]),
  'container.disk.io': counter('By', 'Bytes that a container read and wrote.', ['container.name', 'disk.io.direction']),
  'container.uptime': gauge('s', 'Time since a container started.', ['container.name']),
  'container.restart.count': counter('{restart}', 'How often a container was started again after it had ended.', [
    'container.name',
  ]),
  'container.status': updowncounter(
    '1',
    '1 for the state that a container is in, 0 for the others.',
    ['container.name', 'container.state'],
    { as: 'state' },
  ),
  'container.health': updowncounter(
    '1',
    '1 for the health that a container says it has, 0 for the others.',
    ['container.name', 'container.health.state'],
    { as: 'state' },
  ),
};
