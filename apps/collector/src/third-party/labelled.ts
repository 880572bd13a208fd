import type { Labels } from '@device-metrics/domain';

/** Labels for a reading, which has none where they are empty. */
export const labelled = (labels: Labels): { labels?: Labels } => (Object.keys(labels).length === 0 ? {} : { labels });
