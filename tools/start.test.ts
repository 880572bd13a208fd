import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { PROGRAMS, TestFolder, until } from '../apps/collector/test/harness.js';

it('npm start runs an api and a collector that sends to it, whatever its port, and stops both', async () => {
  const folder = new TestFolder();
  const environment = {
    PATH: process.env['PATH'],
    PORT: '0',
    DATABASE_PATH: folder.file('metrics.db'),
    SPOOL_PATH: folder.file('spool.db'),
    COLLECTOR_CONFIG: folder.write('collector.yaml', 'pc: { uptime: true }\n'),
    COLLECT_INTERVAL: '100ms',
    DEVICE_NAME: 'test-pc',
    NO_COLOR: '1',
  };
  const script = fileURLToPath(new URL('start.mjs', import.meta.url));
  const both = spawn(process.execPath, [script], {
    cwd: PROGRAMS,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(both, 'close');
  let output = '';
  for (const stream of [both.stdout, both.stderr]) {
    createInterface(stream).on('line', (line) => (output += `${line}\n`));
  }
  try {
    await until(
      () => / sends to /.test(output),
      () => output,
    );
    const url = /Listening on (\S+);/.exec(output)?.[1];
    // One at a time: a stop breaks off what has connected and not yet asked.
    const ask = async (): Promise<string> => (await fetch(`${url}/api/v1/devices`)).text();
    const deadline = Date.now() + 60_000;
    for (let devices = ''; !devices.includes('"test-pc"'); devices = await ask()) {
      if (Date.now() > deadline) throw new Error(`No test-pc: ${devices}\n${output}`);
      await setTimeout(50);
    }
    both.kill();
    expect(await ended).toEqual([0, null]);
    expect(output).toContain('Stopped');
  } finally {
    both.kill('SIGKILL');
    folder.remove();
  }
});

it('a clone in which nothing is installed says how', () => {
  const folder = new TestFolder();
  try {
    const script = fileURLToPath(new URL('before-start.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [script], { cwd: folder.path, encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, 'Nothing is installed yet: npm ci\n']);
  } finally {
    folder.remove();
  }
});
