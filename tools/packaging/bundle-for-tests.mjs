/**
 * Puts both programs into `dist/programs` as the packages bring them. `npm test` starts these: they are what users run, and are up
 * in half the time of the hundreds of files that tsc has made. A test that is run by itself starts those. The api, which is
 * started some hundred times, comes with what V8 has compiled of it, which takes two fifths of its start.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundlePrograms, emptyFolder, ROOT } from './bundle.mjs';
import { compileAhead, makeScript } from './compile-ahead.mjs';
import { packageFor, sqliteDriver } from '@device-metrics/sqlite';

const LAUNCHER = `import { existsSync, readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

// As where they are installed: nothing is found in the node_modules of the sources, in whose folder they lie.
const programs = fileURLToPath(new URL('../../..', import.meta.url));
const pathsFrom = Module._nodeModulePaths;
Module._nodeModulePaths = (from) => pathsFrom(from).filter((path) => path.startsWith(programs));

const file = fileURLToPath(new URL('main.cjs', import.meta.url));
const compiled = file + '.compiled';
const script = new Script(readFileSync(file, 'latin1'), {
  filename: file,
  ...(existsSync(compiled) && { cachedData: readFileSync(compiled) }),
});
script.runInThisContext()(createRequire(file), import.meta.url);
`;

// On Node 20 it is built now if it was not before.
sqliteDriver();
const target = join(ROOT, 'dist/programs');
emptyFolder(target);
writeFileSync(join(target, 'package.json'), '{ "type": "module" }\n');
await bundlePrograms(target, ['api', 'collector'], packageFor(process.versions.node));
const folder = join(target, 'apps/api/dist');
await makeScript(join(folder, 'main.js'), join(folder, 'main.cjs'));
writeFileSync(join(folder, 'main.js'), LAUNCHER);
await compileAhead(join(folder, 'main.js'), join(folder, 'main.cjs'), join(folder, 'main.cjs.compiled'));
