/**
 * When the turn after this one is due: turns come on a fixed grid, so one that is late moves none of those after it, and
 * those that were missed meanwhile are left out.
 *
 * @param due when this turn was due; it, `interval` and `now` in milliseconds.
 */
export function nextTurn(due: number, interval: number, now: number): number {
  // A timer may come a fraction of a millisecond early.
  return due + interval * (1 + Math.max(0, Math.floor((now - due) / interval)));
}
