import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { PROGRAMS, TestFolder, until } from '../apps/collector/test/harness.js';

/** Runs both as `npm start` does, until `isDone` of what the api at that address answers. */
async function start(
  environment: NodeJS.ProcessEnv,
  path: string,
  isDone: (answer: string) => boolean,
): Promise<string> {
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
    const deadline = Date.now() + 60_000;
    // One at a time: a stop breaks off what has connected and not yet asked.
    for (let answer = ''; !isDone(answer); answer = await bodyOf(`${url}${path}`)) {
      if (Date.now() > deadline) throw new Error(`Not yet: ${answer}\n${output}`);
      await setTimeout(50);
    }
    both.kill();
    expect(await ended).toEqual([0, null]);
    return output;
  } finally {
    both.kill('SIGKILL');
  }
}

async function bodyOf(url: string): Promise<string> {
  const asked = url.startsWith('https') ? https.get(url, { rejectUnauthorized: false }) : http.get(url);
  const [answer] = (await once(asked, 'response')) as [http.IncomingMessage];
  return text(answer);
}

it('npm start runs an api and a collector that sends to it, whatever its port, and stops both; with TLS it is the same device', async () => {
  const folder = new TestFolder();
  const environment = {
    PATH: process.env['PATH'],
    PORT: '0',
    DATABASE_PATH: folder.file('metrics.db'),
    SPOOL_PATH: folder.file('spool.db'),
    CREDENTIAL_PATH: folder.file('credential.json'),
    COLLECTOR_CONFIG: folder.write('collector.yaml', 'pc: { uptime: true }\n'),
    COLLECT_INTERVAL: '100ms',
    DEVICE_NAME: 'test-pc',
    NO_COLOR: '1',
  };
  try {
    const output = await start(environment, '/api/v1/devices', (answer) => answer.includes('"test-pc"'));
    expect(output).toContain('Stopped');
    await start({ ...environment, TLS: 'auto' }, '/api/v1/collectors', (answer) => answer.includes('"state":"active"'));
  } finally {
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
