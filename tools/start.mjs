/** `npm start`: the api, and the collector once the api listens; a signal, or the end of either, stops both. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const children = [];
let stopping = false;

const api = start('api', 'apps/api/dist/main.js');
const lines = createInterface(api.stdout);
lines.on('line', (line) => {
  console.log(line);
  if (children.length === 1 && !stopping && line.includes('Listening on')) {
    start('collector', 'apps/collector/dist/main.js').stdout.pipe(process.stdout);
  }
});

// Both apps end by themselves within seconds of a signal. Ctrl-C reaches them also directly, and once is enough for them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);

function start(name, main) {
  const child = spawn(process.execPath, ['--enable-source-maps', main], { stdio: ['ignore', 'pipe', 'inherit'] });
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
