import { commandLine } from '@device-metrics/settings';

export const REPAIR_HINT = `; "${commandLine('api')} repair FILE" saves what can be read of it into a new file`;

/** What to do about an error of SQLite that says that the file is damaged; else nothing. */
export function repairHintFor(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  // It also reads beyond the end of a file that is cut off, and finds no column where a bit of its name is flipped.
  return /^SQLITE_(CORRUPT|NOTADB|ERROR$|IOERR_(READ|SHORT_READ|DATA))/.test(String(code)) ? REPAIR_HINT : '';
}
