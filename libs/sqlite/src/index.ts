export { openDatabase, sqliteDriver, SqliteUnavailableError } from './driver.js';
