export { openDatabase, packageFor, sqliteDriver, SqliteUnavailableError } from './driver.js';
export { recordsOfPages, type PageRecord, type SqlValue } from './pages.js';
