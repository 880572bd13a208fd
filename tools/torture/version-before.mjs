/** The last version with another database than this one's, built anew, which takes a minute. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const git = (...args) =>
  execFileSync('git', ['-C', ROOT, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();

/** Why a row that needs it cannot run. */
export function missing() {
  try {
    versionBefore();
    return undefined;
  } catch {
    return 'there is no history of git to take the version before from';
  }
}

/** The last commit with another database than this one's. */
const versionBefore = () =>
  git('rev-parse', `${git('log', '-1', '--format=%H', '--', 'libs/storage/src/sqlite/migrations')}^`);

let built;

/** Its folder, which is there until this process ends. */
export function folderOfVersionBefore() {
  return (built ??= make());
}

function make() {
  const temporary = mkdtempSync(join(tmpdir(), 'version-before-'));
  const folder = join(temporary, 'it');
  git('worktree', 'add', '--detach', folder, versionBefore());
  process.once('exit', () => {
    git('worktree', 'remove', '--force', folder);
    rmSync(temporary, { recursive: true, force: true });
  });
  build(folder);
  return folder;
}

/** With the packages that are installed here, and its own libraries. */
function build(folder) {
  const [from, to] = [join(ROOT, 'node_modules'), join(folder, 'node_modules')];
  mkdirSync(join(to, '@device-metrics'), { recursive: true });
  for (const one of readdirSync(from)) {
    if (one !== '@device-metrics' && !one.startsWith('.')) symlinkSync(join(from, one), join(to, one));
  }
  for (const kind of ['libs', 'apps']) {
    for (const one of readdirSync(join(folder, kind))) {
      const own = join(ROOT, kind, one, 'node_modules');
      if (existsSync(own)) symlinkSync(own, join(folder, kind, one, 'node_modules'));
      symlinkSync(join(folder, kind, one), join(to, '@device-metrics', basename(one)));
    }
  }
  const compiler = join(from, 'typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-b', 'apps/api', 'apps/collector'], { cwd: folder, stdio: 'pipe' });
}
