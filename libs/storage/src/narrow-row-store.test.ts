import { DataSource } from 'typeorm';
import { connectionOf, dataSourceOptions } from './data-source.js';
import { NarrowRowStore } from './narrow-row-store.js';
import { describeSampleStore } from './sample-store.suite.js';

describeSampleStore('NarrowRowStore', async (path) => {
  const dataSource = await new DataSource(dataSourceOptions(path)).initialize();
  const store = new NarrowRowStore(connectionOf(dataSource));
  return {
    store,
    close: async () => {
      await store.close();
      await dataSource.destroy();
    },
  };
});
