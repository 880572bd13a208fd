import { read, type Schema } from '../../api.js';

export const loadCollectors = (signal: AbortSignal): Promise<Schema<'CollectorsDto'>> =>
  read('/api/v1/collectors', {}, { signal });
