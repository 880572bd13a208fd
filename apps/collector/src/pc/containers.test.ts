import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { answer, TestFolder } from '../../test/harness.js';
import { GroupReader, only } from '../../test/pc.js';
import { containers, statsReadings } from './containers.js';
import { thisMachine } from './machine.js';

let folder: TestFolder;
let docker: Server;
let socket: string;
/** Answers of the Docker Engine API by path: a status, a body, or `silence`. */
let answers: Record<string, unknown>;
beforeEach(async () => {
  folder = new TestFolder();
  socket = folder.file('docker.sock');
  docker = createServer(({ url = '' }, response) => {
    const given = answers[url] ?? 404;
    if (given === 'silence') return;
    if (typeof given === 'number') answer(response, given, { message: 'no such thing' });
    else answer(response, 200, given);
  });
  docker.listen(socket);
  await once(docker, 'listening');
});
afterEach(() => {
  docker.close();
  docker.closeAllConnections();
  folder.remove();
});

const LIST = '/containers/json?all=true';
const stats = (id: string): string => `/containers/${id}/stats?stream=false&one-shot=true`;
const inspect = (id: string): string => `/containers/${id}/json`;

const reader = (keys: object = { socket }): GroupReader => new GroupReader(containers, thisMachine(), keys);
/** In short: metric, values of the labels, value. */
async function read(group = reader()): Promise<string[]> {
  return (await group.readings()).map(({ metricName, labels, value }) => {
    return [metricName, ...Object.values(labels ?? {}), value].join(' ');
  });
}
/** Without the states that do not hold. */
const holding = (lines: readonly string[]): string[] =>
  lines.filter((line) => !/^container\.(status|health) .* 0$/.test(line));

describe('containers', () => {
  it('are those that the Docker Engine API lists, with all their networks and disks', async () => {
    answers = {
      [LIST]: [{ Id: 'abc', Names: ['/shop/db', '/db'], State: 'running', Status: 'Up 3 hours (healthy)' }],
      [stats('abc')]: {
        num_procs: 0,
        cpu_stats: {
          cpu_usage: { total_usage: 1_500_000_000, usage_in_usermode: 1_000_000_000, usage_in_kernelmode: 500_000_000 },
          online_cpus: 2,
        },
        memory_stats: { usage: 249_856, limit: 25_276_026_880, stats: { inactive_file: 49_856 } },
        networks: { eth0: { rx_bytes: 1, tx_bytes: 2 }, eth1: { rx_bytes: 10, tx_bytes: 20 } },
        blkio_stats: {
          io_service_bytes_recursive: [
            { major: 254, minor: 0, op: 'read', value: 3 },
            { major: 254, minor: 0, op: 'write', value: 4 },
            { major: 254, minor: 16, op: 'Read', value: 30 },
          ],
        },
      },
      [inspect('abc')]: {
        State: { Status: 'running', StartedAt: '2999-01-01T00:00:00.123456789Z' },
        RestartCount: 2,
        HostConfig: { Memory: 1_048_576 },
      },
    };
    expect(holding(await read())).toEqual([
      'container.status db running 1',
      'container.health db healthy 1',
      'container.cpu.time db user 1',
      'container.cpu.time db system 0.5',
      'container.memory.usage db 249856',
      'container.memory.working_set db 200000',
      'container.memory.limit db 1048576',
      'container.network.io db receive 11',
      'container.network.io db transmit 22',
      'container.disk.io db read 33',
      'container.disk.io db write 4',
      'container.uptime db 0',
      'container.restart.count db 2',
    ]);
  });

  it('tell nothing, rather than 0, where Docker tells nothing', async () => {
    answers = {
      [LIST]: [
        { Id: 'abc', Names: ['/web'] },
        { Id: 'gone', Names: ['/just-ended'] },
      ],
      // As on a machine without the control groups of memory and disks, and with --network none.
      [stats('abc')]: {
        cpu_stats: { cpu_usage: { total_usage: 0 } },
        memory_stats: {},
        blkio_stats: { io_service_bytes_recursive: null },
      },
      [inspect('abc')]: {},
    };
    expect(await read()).toEqual(['container.cpu.time web 0']);
  });

  it('of Windows count time in other units, and have other memory and disks', () => {
    const stats = {
      num_procs: 4,
      cpu_stats: { cpu_usage: { total_usage: 15_000_000 } },
      memory_stats: { privateworkingset: 5 },
      storage_stats: { read_size_bytes: 6, write_size_bytes: 7 },
    };
    expect(statsReadings('iis', stats, 0).map(({ metricName, value }) => [metricName, value])).toEqual([
      ['container.cpu.time', 1.5],
      ['container.memory.usage', 5],
      ['container.disk.io', 6],
      ['container.disk.io', 7],
    ]);
  });

  it('that have ended have a state, and nothing else is asked of them', async () => {
    answers = {
      [LIST]: [
        { Id: 'a', Names: ['/job'], State: 'exited', Status: 'Exited (1) 2 hours ago' },
        { Id: 'b', Names: ['/new'], State: 'created', Status: 'Created' },
      ],
      [inspect('a')]: 500,
    };
    expect(holding(await read())).toEqual(['container.status job exited 1', 'container.status new created 1']);
  });

  it('that end and are started again and again have no uptime, but the number of starts', async () => {
    answers = {
      [LIST]: [
        { Id: 'a', Names: ['/loop'], State: 'restarting', Status: 'Restarting (1) 3 seconds ago' },
        { Id: 'b', Names: ['/other'], State: 'running', Status: 'Up Less than a second (health: starting)' },
      ],
      [inspect('a')]: {
        State: { Status: 'restarting', Restarting: true, StartedAt: '2026-01-01T00:00:00Z' },
        RestartCount: 41,
      },
      // The list was a moment earlier.
      [stats('b')]: {},
      [inspect('b')]: { State: { Status: 'restarting', StartedAt: '2026-01-01T00:00:00Z' }, RestartCount: 7 },
    };
    expect(holding(await read())).toEqual([
      'container.status loop restarting 1',
      'container.restart.count loop 41',
      'container.status other running 1',
      'container.health other starting 1',
      'container.restart.count other 7',
    ]);
  });

  it('that cost Docker an error, or get no answer, are named, and the others are read', async () => {
    answers = {
      [LIST]: ['bad', 'mute', 'good'].map((name) => ({ Id: name, Names: [`/${name}`], State: 'running' })),
      [stats('bad')]: 500,
      [inspect('bad')]: {},
      [stats('mute')]: 'silence',
      [inspect('mute')]: {},
      [stats('good')]: { memory_stats: { usage: 1 } },
      [inspect('good')]: {},
    };
    const group = reader();
    const readings = await read(group);
    expect(readings).toContain('container.memory.usage good 1');
    expect(holding(readings).filter((line) => line.startsWith('container.status'))).toHaveLength(3);
    expect(group.rejected.sort()).toEqual([`bad: ${socket} answered 500`, 'mute: hangs: no answer within 2 s']);
  });

  it('fail where Docker does, and are absent where its socket is', async () => {
    answers = { [LIST]: 500 };
    await expect(read()).rejects.toThrow(`${socket} answered 500`);
    await expect(read(reader({ socket: folder.file('nowhere.sock') }))).rejects.toThrow(/ENOENT/);
    const nowhere = Object.assign(new Error('connect ENOENT'), { code: 'ENOENT' });
    const machine = { ...thisMachine(), askSocket: () => Promise.reject(nowhere) };
    expect(only(await new GroupReader(containers, machine).read(), 'container.status')).toEqual([]);
  });
});
