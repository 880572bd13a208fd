export {
  StoreFullError,
  type SampleStore,
  type SeriesFilter,
  type SeriesSamples,
  type SeriesSummary,
} from './sample-store.js';
export { dataSourceOptions } from './data-source.js';
export { DeviceEntity } from './entities/device.entity.js';
export { SeriesEntity } from './entities/series.entity.js';
export { openSampleStore } from './open-sample-store.js';
