export { dataSourceOptions } from './data-source.js';
export { openSampleStore } from './narrow-row-store.js';
export {
  StoreFullError,
  type SampleStore,
  type SeriesFilter,
  type SeriesSamples,
  type SeriesSummary,
} from './sample-store.js';
