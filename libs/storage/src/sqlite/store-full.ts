import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { StoreFullError } from '../store.js';

/** Below this many free bytes what the file system refuses is taken for a full disk. */
const NO_ROOM = 1 << 20;

/** What SQLite says where it cannot write to a file, or make one. */
const REFUSED = /^SQLITE_(IOERR|CANTOPEN)/;

/** A StoreFullError where `error` means that there is no room, else `error` itself. */
export function asStoreFull(error: unknown, databasePath: string): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return error;
  const full = code === 'SQLITE_FULL' || (REFUSED.test(code) && !hasRoom(databasePath));
  return full ? new StoreFullError(`no room left for ${databasePath} (${code})`, { cause: error }) : error;
}

/** Also for another file: the table of them may be what is full. */
function hasRoom(path: string): boolean {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(dirname(path));
    return bavail * bsize >= NO_ROOM && (files === 0 || ffree > 0);
  } catch {
    return true;
  }
}
