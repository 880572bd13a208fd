import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { serviceManager } from './service-manager.js';

const folder = mkdtempSync(join(tmpdir(), 'service-manager-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A socket as systemd has it: datagrams of Unix. Node has none. */
const RECEIVER = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
while True: print(receiver.recv(4096).decode().strip(), flush=True)`;
const isThere = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const onSystemd = isThere('systemd-notify') && isThere('python3') ? it : it.skip;

onSystemd(
  'tells systemd that it is ready, at a third of the watchdog that it is alive, and that it stops',
  async () => {
    const socket = join(folder, 'notify');
    const receiver = spawn('python3', ['-c', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    receiver.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    const until = async (isTrue: () => boolean): Promise<void> => {
      while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    try {
      await until(() => existsSync(socket));
      const failures: string[] = [];
      const environment = { PATH: process.env['PATH'], NOTIFY_SOCKET: socket, WATCHDOG_USEC: '300000' };
      const manager = serviceManager((reason) => failures.push(reason), environment);
      manager.ready();
      await until(() => said.split('WATCHDOG=1').length > 3);
      manager.stopping();
      await until(() => said.includes('STOPPING=1'));
      const messages = said.split('\n').filter((line) => /^(READY|WATCHDOG|STOPPING)=/.test(line));
      expect(messages[0]).toBe('READY=1');
      expect(new Set(messages)).toEqual(new Set(['READY=1', 'WATCHDOG=1', 'STOPPING=1']));
      expect(failures).toEqual([]);
    } finally {
      receiver.kill();
    }
  },
);

it('says once where systemd cannot be told, and does nothing where nobody is to be told', async () => {
  const failures: string[] = [];
  serviceManager((reason) => failures.push(reason), {}).ready();
  const manager = serviceManager((reason) => failures.push(reason), {
    NOTIFY_SOCKET: join(folder, 'none'),
    PATH: folder,
  });
  manager.ready();
  manager.stopping();
  while (failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(failures).toEqual([expect.stringContaining('systemd cannot be told')]);
});
