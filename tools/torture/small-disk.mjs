/** A disk that is soon full: a small tmpfs, which only root can mount. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';

const run = (program, ...args) => execFileSync(program, args, { stdio: 'pipe' });

/** Mounts one for the time of `act`, which gets what fills the rest of it and what makes room again. */
export async function withSmallDisk(folder, megabytes, act) {
  mkdirSync(folder, { recursive: true });
  run('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder);
  const other = `${folder}/of-another-program`;
  try {
    return await act({
      /** As another program does, to the last byte. */
      fill() {
        try {
          writeFileSync(other, Buffer.alloc(megabytes * 2 ** 20, 1));
        } catch {
          // That it is full is what was wanted.
        }
      },
      free: () => rmSync(other, { force: true }),
    });
  } finally {
    run('umount', '-l', folder);
  }
}

/** Why there can be none. */
export function missingSmallDisk() {
  if (process.platform === 'linux' && process.getuid() === 0) {
    try {
      mkdirSync('/tmp/.torture-disk', { recursive: true });
      run('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', '/tmp/.torture-disk');
      run('umount', '/tmp/.torture-disk');
      return undefined;
    } catch {
      // As in a container without the right to.
    } finally {
      rmSync('/tmp/.torture-disk', { recursive: true, force: true });
    }
  }
  return 'a small disk can only be mounted by root';
}
