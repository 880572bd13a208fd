export { openDatabase, packageFor, sqliteDriver, SqliteUnavailableError } from './driver.js';
export { lockFile, type FileLock } from './lock.js';
export { recordsOfPages, type PageRecord, type SqlValue } from './pages.js';
