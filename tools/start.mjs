/** `npm start`: the api, and the collector once the api listens; a signal, or the end of either, stops both. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseEnv } from 'node:util';

const children = [];
let stopping = false;

const api = start('api', 'apps/api/dist/main.js', {}, process.argv.slice(2));
const lines = createInterface(api.stdout);
lines.on('line', (line) => {
  console.log(line);
  const url = /Listening on (http[^;\s]+)/.exec(line)?.[1];
  if (url && children.length === 1 && !stopping) {
    start('collector', 'apps/collector/dist/main.js', collectorSettings(url)).stdout.pipe(process.stdout);
  }
});

// Both apps end by themselves within seconds of a signal. Ctrl-C reaches them also directly, and once is enough for them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);

/**
 * The collector sends to this api, whatever its port, unless the environment or `.env` names another; and with a token of its own, so
 * that it goes on when the first user is made, from when on everybody needs one.
 */
function collectorSettings(url) {
  const said = { ...(existsSync('.env') && parseEnv(readFileSync('.env', 'utf8'))), ...process.env };
  if (said.API_URL !== undefined) return {};
  const hasCredential = existsSync(said.CREDENTIAL_PATH || 'instance/credential.json');
  if (said.API_TOKEN || said.API_TOKEN_FILE || hasCredential) return { API_URL: url };
  try {
    const tokenFile = join(dirname(said.DATABASE_PATH || 'instance/x'), 'collector-token');
    return { API_URL: url, ...(url.startsWith('https') ? joined(url, tokenFile) : tokenOfThisPc(tokenFile)) };
  } catch (error) {
    console.error(`The collector has no token of its own: ${error.message}`);
    return { API_URL: url };
  }
}

const run = (args, settings) =>
  execFileSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, ...settings } });

/** By its credential it knows the certificate of the api; by the token of a start without TLS the api knows whose the samples are. */
function joined(url, tokenFile) {
  const [, code] = /^Code (\S+),/.exec(run(['apps/api/dist/main.js', 'invite', '--url', url]));
  const before = existsSync(tokenFile) ? { API_TOKEN_FILE: tokenFile } : {};
  run(['apps/collector/dist/main.js', 'join', url, '--code', code], { API_URL: url, ...before });
  return {};
}

/** Made once, in the folder of the database that knows it. */
function tokenOfThisPc(file) {
  if (!existsSync(file)) {
    const made = run([
      'apps/api/dist/main.js',
      'token',
      'create',
      'ingest',
      '--name',
      'the collector of npm start',
      '--by-start',
    ]);
    writeFileSync(file, /dm_ingest_\S+/.exec(made)[0], { mode: 0o600 });
  }
  return { API_TOKEN_FILE: file };
}

function start(name, main, settings = {}, args = []) {
  if (!existsSync(main)) {
    console.error(`There is no ${main}: it is built by npm ci && npm run build.`);
    process.exit(1);
  }
  const child = spawn(process.execPath, ['--enable-source-maps', main, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...settings },
  });
  child.once('exit', (code, signal) => {
    if (!stopping) {
      console.error(`The ${name} ended (${signal ?? `exit code ${code}`}); stopping.`);
      process.exitCode = code || 1;
    }
    stop();
  });
  children.push(child);
  return child;
}

function stop() {
  stopping = true;
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
}
