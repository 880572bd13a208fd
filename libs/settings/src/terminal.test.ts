import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, it } from '@jest/globals';

const folder = mkdtempSync(join(tmpdir(), 'terminal-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program in a terminal of its own, and closes that once there is a file. Node has no terminals. */
const TERMINAL = `
import os, pty, sys, time
child, terminal = pty.fork()
if child == 0: os.execv(sys.argv[2], sys.argv[2:])
while not os.path.exists(sys.argv[1]): time.sleep(0.02)
os.close(terminal)
os.waitpid(child, 0)`;
const onPython = spawnSync('python3', ['--version']).status === 0 ? it : it.skip;

onPython('of a terminal that is closed a process knows, and goes on saying what nobody reads', async () => {
  const [ready, said, script] = ['ready', 'said', 'program.mjs'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const dist = pathToFileURL(join(import.meta.dirname, '../dist/terminal.js')).href;
  writeFileSync(
    script,
    `import { writeFileSync } from 'node:fs';
     import { isTerminalGone, outliveReaders } from '${dist}';
     outliveReaders();
     const before = isTerminalGone();
     process.on('SIGHUP', () => {
       console.log('nobody reads this');
       setTimeout(() => {
         writeFileSync(${JSON.stringify(said)}, before + ' ' + isTerminalGone());
         process.exit();
       }, 100);
     });
     setInterval(() => undefined, 1000);
     writeFileSync(${JSON.stringify(ready)}, '');`,
  );
  const terminal = spawn('python3', ['-c', TERMINAL, ready, process.execPath, script], { stdio: 'inherit' });
  await once(terminal, 'exit');
  expect(existsSync(said) && readFileSync(said, 'utf8')).toBe('false true');
});
