/** Jest's global setup: on Node 20 SQLite is built before a test waits for it. */
export { sqliteDriver as default } from '@device-metrics/sqlite';
