/** Which series somebody wants. */
export interface Wanted {
  readonly size: number;
  has(seriesId: number): boolean;
}
