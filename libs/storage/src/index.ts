export {
  StoreFullError,
  type SampleStore,
  type SeriesFilter,
  type SeriesSamples,
  type SeriesSummary,
} from './sample-store.js';
