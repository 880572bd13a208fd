import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreFullError } from '../store.js';

/** Below this many free bytes a write error of the file system is taken for a full disk. */
const NO_ROOM = 1 << 20;

/** A StoreFullError where `error` means that there is no room, else `error` itself. */
export function asStoreFull(error: unknown, databasePath: string): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return error;
  const full = code === 'SQLITE_FULL' || (code.startsWith('SQLITE_IOERR') && freeBytes(databasePath) < NO_ROOM);
  return full ? new StoreFullError(`no room left for ${databasePath} (${code})`, { cause: error }) : error;
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize;
}
