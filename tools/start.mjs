/** `npm start`: the api, and the collector once the api listens; a signal, or the end of either, stops both. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
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

/** The collector sends to this api, whatever its port, unless the environment or `.env` names another. */
function collectorSettings(url) {
  const said = { ...(existsSync('.env') && parseEnv(readFileSync('.env', 'utf8'))), ...process.env };
  return said.API_URL === undefined ? { API_URL: url } : {};
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
