/**
 * Puts both programs into `dist/programs` as the packages bring them. `npm test` starts these: they are what users run, and are up
 * in half the time of the hundreds of files that tsc has made. A test that is run by itself starts those. The api, which is
 * started some hundred times, comes with what V8 has compiled of it, which takes two fifths of its start.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundlePrograms, emptyFolder, ROOT } from './bundle.mjs';
import { packageFor, sqliteDriver } from '@device-metrics/sqlite';

const escaped = (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;

const LAUNCHER = `import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

const file = fileURLToPath(new URL('main.cjs', import.meta.url));
const compiled = file + '.compiled';
export const script = new Script(readFileSync(file, 'latin1'), {
  filename: file,
  ...(existsSync(compiled) && { cachedData: readFileSync(compiled) }),
});
script.runInThisContext()(createRequire(file), import.meta.url);
`;

/** Lets the api start, so that what a start needs is compiled. */
const MAKER = `import { writeFileSync } from 'node:fs';
const folder = process.argv[1];
process.argv.splice(1, 1, folder + '/main.js');
process.stdout.write = (text) => {
  if (!String(text).includes('Listening on')) return true;
  writeFileSync(folder + '/main.cjs.compiled', script.createCachedData());
  process.exit();
};
const { script } = await import(folder + '/main.js');
`;

// On Node 20 it is built now if it was not before.
sqliteDriver();
const target = join(ROOT, 'dist/programs');
emptyFolder(target);
writeFileSync(join(target, 'package.json'), '{ "type": "module" }\n');
await bundlePrograms(target, ['api', 'collector'], packageFor(process.versions.node));
await keepCompiled(join(target, 'apps/api/dist'));

/** V8 keeps what it has compiled of scripts, and of modules only behind a flag: the program becomes a script. */
async function keepCompiled(folder) {
  const script = join(folder, 'main.cjs');
  await build({
    entryPoints: [join(folder, 'main.js')],
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
  writeFileSync(script, `(function (require, __url) {${text}\n})`);
  writeFileSync(join(folder, 'main.js'), LAUNCHER);
  const database = mkdtempSync(join(tmpdir(), 'compiled-'));
  const env = { PATH: process.env.PATH, PORT: '0', DATABASE_PATH: join(database, 'metrics.db') };
  const maker = spawn(process.execPath, ['--input-type=module', '--eval', MAKER, folder], { env, stdio: 'inherit' });
  const [code] = await once(maker, 'exit');
  rmSync(database, { recursive: true });
  if (code !== 0) throw new Error(`the api that is to be compiled ended with ${code}`);
}
