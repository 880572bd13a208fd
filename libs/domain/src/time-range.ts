/** A span of time; `start` belongs to it, `end` does not. Integer milliseconds since the Unix epoch, UTC. */
export interface TimeRange {
  readonly start: number;
  readonly end: number;
}
