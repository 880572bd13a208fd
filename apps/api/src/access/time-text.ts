import { toRfc3339 } from '@device-metrics/domain';

/** A time as answers have it; null where there is none. */
export const timeText = (time: number | null): string | null => (time === null ? null : toRfc3339(time));
