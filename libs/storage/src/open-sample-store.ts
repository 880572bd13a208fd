import type { DataSource } from 'typeorm';
import { connectionOf } from './data-source.js';
import { NarrowRowStore } from './narrow-row-store.js';
import type { SampleStore } from './sample-store.js';

/** The sample store on a DataSource that has been initialized with `dataSourceOptions`. Closing it leaves that open. */
// eslint-disable-next-line @typescript-eslint/require-await
export async function openSampleStore(dataSource: DataSource): Promise<SampleStore> {
  return new NarrowRowStore(connectionOf(dataSource));
}
