/**
 * Puts the api that was built into one script beside its files, with what V8 has compiled of it: `apps/api/dist/main.js` runs that as
 * long as none of the files that went into it has changed. Where that is so already, it does nothing.
 */
import { mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { sqliteDriver } from '@device-metrics/sqlite';
import { packedScript } from '../../apps/api/dist/packed.js';
import { bundleModule, ROOT } from './bundle.mjs';
import { compileAhead, makeScript } from './compile-ahead.mjs';

const inDist = (file) => join(ROOT, 'apps/api/dist', file);

// What is compiled is of one version of V8.
if (!packedScript(pathToFileURL(inDist('main.js')).href)) {
  // On Node 20 it is built now if it was not before.
  try {
    sqliteDriver();
  } catch (error) {
    // It says what to do: nothing runs without it.
    console.error(error.message);
    process.exit(1);
  }
  // Without it nobody takes the rest, until all is there.
  rmSync(inDist('packed.cjs.compiled'), { force: true });
  let folder;
  try {
    folder = mkdtempSync(join(tmpdir(), 'packed-'));
    const { metafile } = await bundleModule('api', 'api.js', folder);
    writeFileSync(inDist('packed.json'), JSON.stringify(sourcesOf(metafile)));
    await makeScript(join(folder, 'api.js'), inDist('packed.cjs'));
    await compileAhead(inDist('main.js'), inDist('packed.cjs'), inDist('packed.new'));
    renameSync(inDist('packed.new'), inDist('packed.cjs.compiled'));
  } catch (error) {
    console.warn(`The api is not packed, and takes longer to start: ${error.message}`);
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  }
}

/** What is known of each file, to see later whether it has changed. */
function sourcesOf({ inputs }) {
  const sources = {};
  for (const file of Object.keys(inputs)) {
    const stat = statSync(join(ROOT, file), { throwIfNoEntry: false });
    // esbuild has some of its own.
    if (stat) sources[file] = [stat.mtimeMs, stat.size];
  }
  return sources;
}
