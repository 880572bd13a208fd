/** A span of time; `start` belongs to it, `end` does not. Integer milliseconds since the Unix epoch, UTC. */
export interface TimeRange {
  readonly start: number;
  readonly end: number;
}

/** The longest range of a report, hours: a century. */
export const MAX_HOURS = 876_600;

/** A number of hours such as `24` or `0.5`, above 0 and up to `MAX_HOURS`; undefined for any other text. */
export function parseHours(text: string): number | undefined {
  const hours = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  return hours > 0 && hours <= MAX_HOURS ? hours : undefined;
}
