/** Loaded into an api before its own code: a build that does not wait for the disk at each commit. Power loss must show it. */
import { sqliteDriver } from '@device-metrics/sqlite';

const { prototype } = sqliteDriver();
const { pragma } = prototype;
prototype.pragma = function (text, options) {
  return pragma.call(this, text.replace(/synchronous = FULL/i, 'synchronous = NORMAL'), options);
};
