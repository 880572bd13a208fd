import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf } from '@device-metrics/domain';
import { StoreFullError, StoreUnavailableError } from '../store.js';

/** Below this many free bytes what the file system refuses is taken for a full disk. */
const NO_ROOM = 1 << 20;

/** What SQLite says where it cannot write to a file, or make one. */
const REFUSED = /^SQLITE_(IOERR|CANTOPEN)/;

/** What it says where the disk does not do what it should, or lost what it had. */
const BROKEN = /^SQLITE_(IOERR|CANTOPEN|READONLY|CORRUPT|NOTADB)/;

/**
 * A StoreFullError or a StoreUnavailableError where `error` of SQLite means that there is no room, or that the disk fails; else
 * `error` itself.
 *
 * @param databasePath where it is known, the room beside it is looked at.
 */
export function asRefusal(error: unknown, databasePath?: string): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== 'string') return error;
  if (code === 'SQLITE_FULL' || (databasePath !== undefined && REFUSED.test(code) && !hasRoom(databasePath))) {
    return new StoreFullError(`no room left for ${databasePath ?? 'the database'} (${code})`, { cause: error });
  }
  if (!BROKEN.test(code)) return error;
  return new StoreUnavailableError(`${reasonOf(error)} (${code})`, { cause: error });
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
