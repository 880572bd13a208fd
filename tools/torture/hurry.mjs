/**
 * Loaded into an api before its own code: what it does after minutes it does after milliseconds, so that each of its short
 * lives has sealing, the making of chunks, and upkeep in it.
 */
import { isMainThread } from 'node:worker_threads';
import { DEFAULT_SETTINGS, RETENTION_INTERVAL } from '../../libs/storage/dist/columnar/store-settings.js';

if (isMainThread) {
  Object.assign(DEFAULT_SETTINGS, { sealDelay: 0, sealInterval: 20, maxHeadSamples: 3_000, maxOpenSamples: 20_000 });
  const { setInterval } = globalThis;
  globalThis.setInterval = (act, every, ...rest) =>
    setInterval(act, every === RETENTION_INTERVAL ? 60 : every, ...rest);
}
