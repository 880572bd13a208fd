import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a file for its owner alone, unless it is there: on the disk as a whole or not at all, and of several processes that make it at
 * once the first one's stays.
 */
export function writeOnce(file: string, content: () => string): void {
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true });
  const options = { mode: 0o600, flush: true };
  const text = content();
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, text, options);
    try {
      linkSync(draft, file);
    } catch (error) {
      // Not every file system has links.
      if (!existsSync(file)) writeFileSync(file, text, { ...options, flag: 'wx' });
      else if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  } finally {
    rmSync(draft, { force: true });
  }
}
