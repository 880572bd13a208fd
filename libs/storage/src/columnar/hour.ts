import { HOUR } from '@device-metrics/domain';

/** Hours are told by 24 bits, which last until the year 3883. */
export const HOURS = 2 ** 24;

/** Timestamps from here on are beyond what the store can tell apart. */
export const END_OF_TIME = HOURS * HOUR;

export const hourOf = (timestamp: number): number => Math.floor(timestamp / HOUR);

/** The key of the chunk of a device and an hour: chunks of one device lie together, in order of time. */
export const chunkId = (deviceId: number, hour: number): number => deviceId * HOURS + hour;

export const hourOfChunk = (id: number): number => id % HOURS;

export const deviceOfChunk = (id: number): number => Math.floor(id / HOURS);

/** No sample is taken that is so far ahead of the clock, ms: one that is has a time of a clock that was set back since. */
export const FAR_AHEAD = 2 * HOUR;
