import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Fetches or compiles the binary of better-sqlite3 12, which `npm ci` leaves out, since `.npmrc` lets no package run its
 * install script. Of several processes that start at once, one builds and the others wait.
 *
 * @throws Error where the package is not installed or its folder cannot be written.
 */
export function buildForNode20(): void {
  const folder = dirname(createRequire(import.meta.url).resolve('better-sqlite3-12/package.json'));
  const lock = join(folder, 'built-by');
  const builder = take(lock);
  if (builder !== process.pid) return waitFor(lock, builder);
  try {
    say('fetching or compiling better-sqlite3 12, once; this takes up to three minutes …');
    spawnSync('npm', ['rebuild', 'better-sqlite3-12', '--ignore-scripts=false', '--foreground-scripts=false'], {
      cwd: dirname(dirname(folder)),
      stdio: ['ignore', 'ignore', 'inherit'],
      shell: process.platform === 'win32',
    });
  } finally {
    rmSync(lock);
  }
}

/** The process that holds the lock: this one, unless another that lives took it before. */
function take(lock: string): number {
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return process.pid;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = holderOf(lock);
    if (lives(holder)) return holder;
    rmSync(lock, { force: true });
  }
}

function waitFor(lock: string, builder: number): void {
  say(`process ${builder} is building better-sqlite3 12; waiting for it …`);
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (lives(builder) && holderOf(lock) === builder) Atomics.wait(cell, 0, 0, 200);
}

/** NaN where nobody holds it. */
function holderOf(lock: string): number {
  try {
    return Number.parseInt(readFileSync(lock, 'utf8'), 10);
  } catch {
    return NaN;
  }
}

function lives(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function say(what: string): void {
  process.stderr.write(`Node 20: ${what}\n`);
}
