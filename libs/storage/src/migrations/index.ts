import { DevicesSeriesSamples1763900000000 } from './1763900000000-devices-series-samples.js';

/** In the order in which they run. */
export const migrations = [DevicesSeriesSamples1763900000000];
