/**
 * Does to real processes what breaks such systems, and compares what they say with what was sent. Prints a table with
 * figures, and ends 1 when a row breaks.
 *
 * Usage: npm run torture [-- --short] [-- --rows kill-api,overload]
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: { short: { type: 'boolean', default: false }, rows: { type: 'string' } },
});
const folder = new URL('./rows/', import.meta.url);
const all = (await readdir(folder)).map((file) => file.replace(/\.mjs$/, '')).sort();
const wanted = options.rows?.split(',') ?? all;
const unknown = wanted.filter((row) => !all.includes(row));
if (unknown.length > 0) {
  console.error(`There is no row ${unknown.join(', ')}; there are ${all.join(', ')}`);
  process.exit(1);
}

let broken = 0;
console.log('| row | result | figures | s |\n|---|---|---|---|');
for (const file of wanted) {
  const { name, run, missing } = await import(new URL(`${file}.mjs`, folder));
  const why = missing?.();
  if (why) {
    console.log(`| ${name} | not run | ${why} | |`);
    continue;
  }
  const started = performance.now();
  const temporary = await mkdtemp(join(tmpdir(), 'torture-'));
  let result = 'holds';
  let figures;
  try {
    figures = await run({ file: (name) => join(temporary, name), short: options.short });
  } catch (error) {
    broken += 1;
    result = 'BREAKS';
    figures = String(error instanceof Error ? error.message : error);
  }
  await rm(temporary, { recursive: true, force: true });
  console.log(
    `| ${name} | ${result} | ${figures.replace(/\s+/g, ' ')} | ${((performance.now() - started) / 1_000).toFixed(1)} |`,
  );
}
// Processes of a row that broke may be there still; they end with this one.
process.exit(broken > 0 ? 1 : 0);
