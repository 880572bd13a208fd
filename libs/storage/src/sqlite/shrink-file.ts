import type { Database } from 'better-sqlite3';

/** Pages that one transaction gives back to the file system. */
const PAGE_SLICE = 64;
/** Free pages up to this share of the file stay for what comes next. */
const KEPT_FREE = 1 / 50;

/** Gives some free pages back to the file system; false once there are few, or where the file gives none back. */
export function shrinkFile(db: Database): boolean {
  const pages = (name: 'freelist_count' | 'page_count'): number => db.pragma(name, { simple: true }) as number;
  const free = pages('freelist_count');
  if (free <= Math.max(PAGE_SLICE, pages('page_count') * KEPT_FREE)) return false;
  db.pragma(`incremental_vacuum(${PAGE_SLICE})`);
  return pages('freelist_count') < free;
}
