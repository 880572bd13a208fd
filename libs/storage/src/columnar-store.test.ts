import { DataSource } from 'typeorm';
import { dataSourceOptions } from './data-source.js';
import { openSampleStore } from './open-sample-store.js';
import type { Store } from './sample-store.js';
import { describeSampleStore, type OpenStore } from './sample-store.suite.js';

const LONG_BEFORE = Date.UTC(2025, 0);
const LONG_AFTER = Date.UTC(2027, 0);

async function open(path: string, now: number): Promise<OpenStore> {
  const dataSource = await new DataSource(dataSourceOptions(path)).initialize();
  const settings = { now: () => now, rawRetention: 0, hourlyRetention: 0, sealDelay: 0, sealInterval: 0 };
  const store = await openSampleStore(dataSource, settings);
  return {
    store,
    close: async () => {
      await store.close();
      await dataSource.destroy();
    },
  };
}

/** Seals what every append brings at once, so that all later ones merge with chunks. */
function sealingAtOnce(store: Store): Store {
  const append = store.append.bind(store);
  let closed = false;
  store.append = async (samples) => {
    await append(samples);
    if (!closed) await store.maintain();
  };
  const close = store.close.bind(store);
  store.close = async () => {
    closed = true;
    await close();
  };
  return store;
}

describeSampleStore('ColumnarStore with all samples in heads', (path) => open(path, LONG_BEFORE));

describeSampleStore('ColumnarStore with all samples in chunks', async (path) => {
  const opened = await open(path, LONG_AFTER);
  return { ...opened, store: sealingAtOnce(opened.store) };
});
