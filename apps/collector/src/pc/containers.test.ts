import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { answer, TestFolder } from '../../test/harness.js';
import { Mistakes } from '@device-metrics/settings';
import { PartsOfRun } from '../run/parts.js';
import { Section } from '../config/section.js';
import { containerReadings, containers } from './containers.js';
import { thisMachine } from './machine.js';

let folder: TestFolder;
let docker: Server;
let socket: string;
/** Answers of the Docker Engine API by path: a status, or a body. */
let answers: Record<string, unknown>;
beforeEach(async () => {
  folder = new TestFolder();
  socket = folder.file('docker.sock');
  docker = createServer(({ url = '' }, response) => {
    const given = answers[url] ?? 404;
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

async function read(keys: object = { socket }): Promise<string[]> {
  const reader = containers.configure(new Section(keys, '', new Mistakes()))(thisMachine());
  const readings = await reader(new AbortController().signal, new PartsOfRun());
  return readings.map(
    ({ metricName, labels, value }) => `${metricName} ${Object.values(labels ?? {}).join(' ')} ${value}`,
  );
}

const stats = (id: string): string => `/containers/${id}/stats?stream=false&one-shot=true`;

describe('containers', () => {
  it('are those that the Docker Engine API lists, with all their networks and disks', async () => {
    answers = {
      '/containers/json': [{ Id: 'abc', Names: ['/shop/db', '/db'], State: 'running' }],
      [stats('abc')]: {
        num_procs: 0,
        cpu_stats: { cpu_usage: { total_usage: 1_500_000_000, usage_in_usermode: 1_000_000_000 }, online_cpus: 2 },
        memory_stats: { usage: 249_856, limit: 25_276_026_880 },
        networks: { eth0: { rx_bytes: 1, tx_bytes: 2 }, eth1: { rx_bytes: 10, tx_bytes: 20 } },
        blkio_stats: {
          io_service_bytes_recursive: [
            { major: 254, minor: 0, op: 'read', value: 3 },
            { major: 254, minor: 0, op: 'write', value: 4 },
            { major: 254, minor: 16, op: 'Read', value: 30 },
          ],
        },
      },
      '/containers/abc/json': { State: { StartedAt: '2999-01-01T00:00:00.123456789Z' } },
    };
    expect(await read()).toEqual([
      'container.cpu.time db 1.5',
      'container.memory.usage db 249856',
      'container.network.io db receive 11',
      'container.network.io db transmit 22',
      'container.disk.io db read 33',
      'container.disk.io db write 4',
      'container.uptime db 0',
    ]);
  });

  it('tell nothing, rather than 0, where Docker tells nothing', async () => {
    answers = {
      '/containers/json': [
        { Id: 'abc', Names: ['/web'] },
        { Id: 'gone', Names: ['/just-ended'] },
      ],
      // As on a machine without the control groups of memory and disks, and with --network none.
      [stats('abc')]: {
        cpu_stats: { cpu_usage: { total_usage: 0 } },
        memory_stats: {},
        blkio_stats: { io_service_bytes_recursive: null },
      },
      '/containers/abc/json': {},
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
    expect(containerReadings('iis', stats, NaN).map(({ metricName, value }) => [metricName, value])).toEqual([
      ['container.cpu.time', 1.5],
      ['container.memory.usage', 5],
      ['container.disk.io', 6],
      ['container.disk.io', 7],
    ]);
  });

  it('fail where Docker does, and are absent where its socket is', async () => {
    answers = { '/containers/json': 500 };
    await expect(read()).rejects.toThrow(`${socket} answered 500`);
    await expect(read({ socket: folder.file('nowhere.sock') })).rejects.toThrow(/ENOENT/);
    const keys = new Section({}, '', new Mistakes());
    const nowhere = Object.assign(new Error('connect ENOENT'), { code: 'ENOENT' });
    const machine = { ...thisMachine(), askSocket: () => Promise.reject(nowhere) };
    expect(await containers.configure(keys)(machine)(new AbortController().signal, new PartsOfRun())).toEqual([]);
  });
});
