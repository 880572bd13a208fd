import { createRequire } from 'node:module';
import { packedScript, type Program } from './packed.js';

const script = packedScript(import.meta.url);

if (script) (script.runInThisContext() as Program)(createRequire(import.meta.url), import.meta.url);
else void import('./api.js');
