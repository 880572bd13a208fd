/** What V8 has compiled of the api, kept for its next start. V8 keeps it of scripts, and of modules only behind a flag. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const escaped = (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Lets the api start and answer a few requests, so that what a start and a first look need is compiled. */
const MAKER = `import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
const [, main, filename, compiled] = process.argv;
process.argv.splice(1, 3, main);
process.stdout.write = (text) => {
  const [, address] = /Listening on ([^; ]+)/.exec(text) ?? [];
  if (address) use(address + '/api/v1').then(write);
  return true;
};
async function use(api) {
  const now = Date.now();
  const samples = Array.from({ length: 100 }, (_, index) => [now - 3_600_000 + index * 10_000, index / 7]);
  const items = ['a', 'b'].map((metric_name) => ({ device_name: 'device', metric_name, samples }));
  await fetch(api + '/aggregator/metrics/batch', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(items),
  });
  for (const path of ['metrics/device?step=1m', 'metrics/device', 'summary', 'latest']) {
    const answer = await fetch(api + '/reports/' + path);
    if (!answer.ok) throw new Error(await answer.text());
    await answer.text();
  }
}
function write() {
  // V8 takes what was compiled with the flags that it has itself: the api sets this one when it listens.
  setFlagsFromString('--heap-growing-percent=0');
  writeFileSync(compiled, script.createCachedData());
  process.exit();
}
const script = new Script(readFileSync(filename, 'latin1'), { filename });
script.runInThisContext()(createRequire(main), pathToFileURL(main).href);
`;

/** Makes a script of a bundled module: a function of `require` and the address of the module that it stands for. */
export async function makeScript(module, script) {
  await build({
    entryPoints: [module],
    outfile: script,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    define: { 'import.meta.url': '__url' },
    // What is loaded late is CommonJS.
    supported: { 'dynamic-import': false },
    logLevel: 'error',
  });
  // One byte a letter is read and looked through in half the time of two.
  const text = readFileSync(script, 'utf8').replace(/[^\0-\x7F]/g, escaped);
  // A module is strict; a script is so where it says it.
  writeFileSync(script, `(function (require, __url) {"use strict";${text}\n})`);
}

/**
 * Starts the api, and writes what was compiled of its script.
 *
 * @param main the module that runs the script.
 */
export async function compileAhead(main, script, compiled) {
  const database = mkdtempSync(join(tmpdir(), 'compiled-'));
  const env = { PATH: process.env.PATH, PORT: '0', DATABASE_PATH: join(database, 'metrics.db') };
  const args = ['--input-type=module', '--eval', MAKER, main, script, compiled];
  const maker = spawn(process.execPath, args, { cwd: database, env, stdio: 'inherit' });
  const [code] = await once(maker, 'exit');
  rmSync(database, { recursive: true });
  if (code !== 0) throw new Error(`the api that is to be compiled ended with ${code}`);
}
