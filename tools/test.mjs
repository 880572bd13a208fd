/**
 * What `npm test` does: builds the programs and runs Jest on them, with the arguments that it gets. Types are checked beside that, since
 * nothing has to wait for it. Ends with 1 where either finds something.
 */
import { spawn } from 'node:child_process';
import process from 'node:process';

const COMPILER = ['node_modules/typescript-7/bin/tsc', '-b'];
/** V8 clears its heap less often with more room for what is new: a twentieth of all. */
const JEST = [
  '--max-semi-space-size=32',
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];

/** Whether a program ends with 0. npm has put those of packages on the path. */
function succeeds(program, args) {
  const child = spawn(program, args, {
    stdio: 'inherit',
    env: { ...process.env, DEVICE_METRICS_PROGRAMS: 'dist/programs' },
  });
  return new Promise((resolve, reject) => child.once('error', reject).once('close', (code) => resolve(code === 0)));
}

async function test(args) {
  if (!(await succeeds(process.execPath, [...COMPILER, '--noCheck', 'apps/api', 'apps/collector', 'tools/bench'])))
    return false;
  const checked = succeeds(process.execPath, COMPILER);
  const passed =
    (await succeeds('nx', ['build', 'dashboard', '--excludeTaskDependencies'])) &&
    (await succeeds(process.execPath, ['tools/packaging/bundle-for-tests.mjs'])) &&
    (await succeeds(process.execPath, [...JEST, ...args]));
  return (await checked) && passed;
}

process.exitCode = (await test(process.argv.slice(2))) ? 0 : 1;
