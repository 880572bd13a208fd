/** For each writer the last journal row that is in something; a writer that is left out has none there. */
export type Through = Readonly<Record<string, number>>;

interface Rows {
  /** Ascending, and for each the number of the row beside it. */
  positions: number[];
  numbers: number[];
}

/**
 * The journal rows of all writers in the order in which this process took them in, which gives each a position: heads know
 * rows by it. What leaves the process says them by writer and number.
 */
export class PositionLog {
  private last = 0;
  private readonly writers = new Map<number, Rows>();
  private readonly seen = new Map<number, number>();

  /** Takes note of a row and gives its position. */
  add(writer: number, number: number): number {
    this.last += 1;
    const rows = this.writers.get(writer);
    if (rows) {
      rows.positions.push(this.last);
      rows.numbers.push(number);
    } else this.writers.set(writer, { positions: [this.last], numbers: [number] });
    this.seen.set(writer, Math.max(number, this.seenOf(writer)));
    return this.last;
  }

  /** The last row of a writer that was taken in; 0 before the first. */
  seenOf(writer: number): number {
    return this.seen.get(writer) ?? 0;
  }

  /** Of each writer the last row of which nothing is at or behind a position; all that was seen without one. */
  throughBefore(position: number): Through {
    const through: Record<string, number> = Object.fromEntries(this.seen);
    for (const [writer, { positions, numbers }] of this.writers) {
      const at = after(positions, position - 1);
      if (at < numbers.length) through[writer] = numbers[at] - 1;
    }
    return through;
  }

  /** Of each writer the last row at or before a position. */
  throughAt(position: number): Through {
    const through: Record<string, number> = {};
    for (const [writer, { positions, numbers }] of this.writers) {
      const at = after(positions, position) - 1;
      if (at >= 0) through[writer] = numbers[at];
    }
    return through;
  }

  /** Whether all rows from one position to another, both included, are among those. */
  isCovered(first: number, last: number, through: Through): boolean {
    for (const [writer, { positions, numbers }] of this.writers) {
      const at = after(positions, last) - 1;
      if (at >= 0 && positions[at] >= first && numbers[at] > (through[writer] ?? 0)) return false;
    }
    return true;
  }

  /** Forgets rows that are gone from the journal: nothing in memory is of them. */
  forget(writer: number, number: number): void {
    const rows = this.writers.get(writer);
    if (!rows) return;
    const gone = after(rows.numbers, number);
    if (gone === rows.numbers.length) this.writers.delete(writer);
    else if (gone > 0) {
      rows.positions = rows.positions.slice(gone);
      rows.numbers = rows.numbers.slice(gone);
    }
  }
}

/** How many of ascending numbers are at most `limit`. */
function after(ascending: readonly number[], limit: number): number {
  let [from, to] = [0, ascending.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (ascending[middle] <= limit) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** The later of both for each writer. */
export function joinThrough(a: Through, b: Through): Through {
  const joined: Record<string, number> = { ...a };
  for (const [writer, number] of Object.entries(b)) joined[writer] = Math.max(number, joined[writer] ?? 0);
  return joined;
}
