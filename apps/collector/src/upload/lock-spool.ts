import { lockFile, type FileLock } from '@device-metrics/sqlite';

/**
 * Takes a spool for this process: two collectors on one would each count and send what is the other's. Commands that look into
 * the spool need no lock.
 *
 * @throws Error that says who has it.
 */
export function lockSpool(file: string): FileLock {
  const lock = lockFile(file);
  if (!lock) throw new Error('another collector runs on it; each needs a spool of its own');
  return lock;
}
