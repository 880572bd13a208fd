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
import { sqliteDriver } from '@device-metrics/sqlite';
import { endAll } from './kit.mjs';

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
process.once('SIGINT', () => process.exit(1));
process.once('SIGTERM', () => process.exit(1));
process.once('exit', endAll);
// What a row does beside others fails before the row looks at it.
process.on('unhandledRejection', () => undefined);

// On Node 20 it may have to be compiled, for which no row waits.
sqliteDriver();

let broken = 0;
console.log('| row | result | figures | s |\n|---|---|---|---|');
const rows = await Promise.all(
  wanted.map(async (file) => ({ file, ...(await import(new URL(`${file}.mjs`, folder))) })),
);

async function runRow({ name, run, missing, isLong }) {
  const why = options.short && isLong ? 'only in the long form' : missing?.();
  if (why) return console.log(`| ${name} | not run | ${why} | |`);
  const started = performance.now();
  const temporary = await mkdtemp(join(tmpdir(), 'torture-'));
  let result = 'holds';
  let figures;
  try {
    figures = await run({ file: (name) => join(temporary, name), short: options.short });
  } catch (error) {
    broken += 1;
    result = 'BREAKS';
    figures = error instanceof Error ? error.message : String(error);
    if (process.env.TORTURE_DETAIL) console.error(error);
  }
  await rm(temporary, { recursive: true, force: true });
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`| ${name} | ${result} | ${figures.replace(/\s+/g, ' ').slice(0, 1_000)} | ${seconds} |`);
}

/** Rows that measure how long something takes or how much it holds have the machine for themselves. */
const alone = rows.filter(({ measures }) => measures && !options.short);
/** These take longest and go first, so that both lanes end together. */
const LONGEST = ['kill-api', 'damaged-database', 'upgrade', 'kill-collector', 'power-loss'];
const placeOf = ({ file }) => (LONGEST.includes(file) ? LONGEST.indexOf(file) : LONGEST.length);
const together = rows.filter((row) => !alone.includes(row)).sort((a, b) => placeOf(a) - placeOf(b));
const lane = async () => {
  for (let row = together.shift(); row; row = together.shift()) await runRow(row);
};
await Promise.all([lane(), lane()]);
for (const row of alone) await runRow(row);
process.exit(broken > 0 ? 1 : 0);
