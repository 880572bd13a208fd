/**
 * Puts both programs into `dist/programs` as the packages bring them. `npm test` starts these: they are what users run, and are up
 * in half the time of the hundreds of files that tsc has made. A test that is run by itself starts those.
 */
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { bundlePrograms, emptyFolder, ROOT } from './bundle.mjs';
import { packageFor, sqliteDriver } from '@device-metrics/sqlite';

// On Node 20 it is built now if it was not before.
sqliteDriver();
const target = join(ROOT, 'dist/programs');
emptyFolder(target);
writeFileSync(join(target, 'package.json'), '{ "type": "module" }\n');
await bundlePrograms(target, ['api', 'collector'], packageFor(process.versions.node));
