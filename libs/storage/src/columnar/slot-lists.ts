/** Lists that are known at a time, none of more slots than this. */
const KNOWN = 256;
const MOST_SLOTS = 1024;

/** Lists of slots that are the same for many devices are kept once. */
export class SlotLists {
  /** By their hash; one of the same hash takes the place of the one before. */
  private readonly known: (Uint32Array | undefined)[] = new Array<undefined>(KNOWN).fill(undefined);

  /** The slots from one place to before another, as a list that stays as it is. */
  of(slots: Uint32Array, from: number, to: number): Uint32Array {
    if (to - from > MOST_SLOTS) return slots.slice(from, to);
    let hash = 0;
    for (let at = from; at < to; at += 1) hash = (Math.imul(hash, 31) + slots[at]) | 0;
    const place = hash & (KNOWN - 1);
    const known = this.known[place];
    return known && isSameList(known, slots, from, to) ? known : (this.known[place] = slots.slice(from, to));
  }
}

/** Whether a list is of the slots from one place to before another. */
export function isSameList(list: Uint32Array, slots: Uint32Array, from: number, to: number): boolean {
  if (list.length !== to - from) return false;
  for (let at = 0; at < list.length; at += 1) if (list[at] !== slots[from + at]) return false;
  return true;
}
