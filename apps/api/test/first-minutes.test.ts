import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MAIN, temporaryFolder } from './server.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const settings = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  PORT: '0',
  DATABASE_PATH: join(folder.path, 'disk/metrics.db'),
});
const run = (...args: string[]): { code: number | null; text: string } => runWith({}, args);
const runWith = (changed: object, args: string[]): { code: number | null; text: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: folder.path,
    env: { ...settings(), ...changed },
    encoding: 'utf8',
  });
  return { code: status, text: stdout + stderr };
};
/** Starts the api in the folder until it listens, and gives its log. */
async function startAndStop(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: folder.path, env: settings(), stdio: 'pipe' });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => {
      lines.push(line);
      if (line.includes('Listening on')) child.kill('SIGTERM');
    });
  }
  await once(child, 'close');
  return lines.join('\n');
}

describe('the api', () => {
  it('tells its version, and refuses words that it does not know', () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'));
    expect(run('--version')).toEqual({ code: 0, text: `${version}\n` });
    expect(run('strat')).toMatchObject({ code: 1, text: expect.stringContaining('There is no command "strat"') });
    expect(run('tokn', 'list', '--help')).toMatchObject({
      code: 1,
      text: expect.stringContaining('There is no command "tokn list"; did you mean "token list"?'),
    });
  });

  it.each([
    [['--help'], /^Without a command the api runs[^]*--new/],
    [['help'], /^Without a command the api runs/],
    [['token', 'create', '--help'], /^token create/],
    [['help', 'repair'], /^repair FILE/],
    [['token', '-h'], /^token create[^]*token list/],
  ])('helps whatever is wrong in the settings: %j', (args, text) => {
    expect(runWith({ PORT: 'abc' }, args)).toEqual({ code: 0, text: expect.stringMatching(text) });
  });

  it('says which word it does not know rather than what is wrong in the settings', () => {
    const refused = runWith({ PORT: 'abc' }, ['doctor', 'lab-pc-1']);
    expect(refused).toEqual({ code: 1, text: expect.stringMatching(/^doctor takes no "lab-pc-1"/) });
  });

  it('does not begin anew where a database was before, unless it is told to, and logs without colours to a pipe', async () => {
    const log = await startAndStop();
    expect(log).toContain('Listening on');
    // eslint-disable-next-line no-control-regex -- colours begin with it
    expect(log).not.toMatch(/\x1b\[/);

    rmSync(join(folder.path, 'disk'), { recursive: true });
    const refused = run();
    expect(refused.code).toBe(1);
    expect(refused.text).toContain('was there before and is gone: is its disk mounted?');
    expect(await startAndStop('--new')).toContain('Listening on');
    expect(await startAndStop()).toContain('Listening on');
  });
});
