/**
 * Fetches or compiles the binary of better-sqlite3 12, which only Node 20 needs and for which it has no scripts run by
 * `npm ci`. Does nothing on newer Node, or where the binary is there. Before `npm start`, and as jest's global setup.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export default function provideSqlite() {
  if (Number.parseInt(process.versions.node, 10) >= 22 || opens()) return;
  console.log('Node 20: fetching or compiling better-sqlite3 12, once …');
  const rebuild = ['rebuild', 'better-sqlite3-12', '--ignore-scripts=false', '--foreground-scripts=false'];
  const { status } = spawnSync('npm', rebuild, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status === 0 && opens()) return;
  throw new Error(
    'better-sqlite3 12 has no binary. It takes a C++ compiler, make and Python on Node 20; Node 22 and newer need none.',
  );
}

function opens() {
  try {
    const Database = createRequire(import.meta.url)('better-sqlite3-12');
    new Database(':memory:').close();
    return true;
  } catch {
    return false;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) provideSqlite();
