import type { DataSource } from 'typeorm';
import { ColumnarStore, type StoreSettings } from './columnar-store.js';
import { connectionOf } from './data-source.js';

/** The sample store on a DataSource that has been initialized with `dataSourceOptions`. Closing it leaves that open. */
export function openSampleStore(dataSource: DataSource, settings: Partial<StoreSettings> = {}): Promise<ColumnarStore> {
  return ColumnarStore.open(connectionOf(dataSource), settings);
}
