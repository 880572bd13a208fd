import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

const TORTURE = new URL('../tools/torture/', import.meta.url);

/** Where the short form of a row is among the other tests. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  backup: 'apps/api/test/backup.test.ts',
  cardinality: 'apps/api/test/limits.test.ts',
  clock: 'libs/storage/src/columnar/clock-watch.test.ts',
  'damaged-database': 'libs/storage/src/sqlite/row-checksum.test.ts',
  'damaged-spool': 'apps/collector/src/upload/spool.test.ts',
  'full-disk': 'apps/api/test/disk-full.test.ts',
  'full-spool-disk': 'apps/collector/src/upload/spool.test.ts',
  'hostile-bodies': 'apps/api/src/http/json-body.test.ts',
  'kill-api': 'libs/storage/src/sqlite/process.test.ts',
  'kill-collector': 'apps/collector/test/queue.test.ts',
  'one-spool': 'apps/collector/src/third-party/mapping.test.ts',
  'stalled-bodies': 'apps/api/src/http/slow-clients.test.ts',
  upgrade: 'apps/api/test/upkeep.test.ts',
  'version-before': 'libs/storage/src/sqlite/data-source.test.ts',
};
const HERE = ['event-loop', 'many-reports', 'overload', 'power-loss'];

it('every row of the torture has a short form among the tests', () => {
  const rows = readdirSync(new URL('rows/', TORTURE)).map((file) => file.replace('.mjs', ''));
  expect(rows.sort()).toEqual([...Object.keys(ELSEWHERE), ...HERE].sort());
});

it('no call holds the event loop, others pass by reports, too much is refused, and power loss costs nothing', async () => {
  const program = new URL('run.mjs', TORTURE).pathname;
  // The table says what broke, also where the program ends with 1.
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    program,
    '--short',
    '--rows',
    HERE.join(),
  ]).catch((error: { stdout: string; stderr: string }) => error);
  expect(stdout + stderr).toMatch(new RegExp(`(\\| (holds|not run) \\|[^]*){${HERE.length}}`));
}, 600_000);
