import Database from 'better-sqlite3';

export interface Salvaged {
  readonly batches: number;
  readonly samples: number;
  /** Samples that were in the damaged file and are not in the new one; undefined where its totals cannot be read. */
  readonly lost: number | undefined;
}

const COLUMNS = 'sequence, state, attempts, created, newest, samples, bytes, reason, payload';

interface DamagedRow {
  readonly sequence: number;
  readonly samples: number;
}

/**
 * Copies what can be read of a damaged spool into a new one, under the same sequences. Reads from the first row up to the
 * damage, then from the last row down to it. Samples that are lost count as evicted, so that the totals still add up.
 */
export function salvage(damaged: string, into: Database.Database): Salvaged {
  let old: Database.Database;
  try {
    // Not read-only: the write-ahead log beside it may hold the newest batches.
    old = new Database(damaged, { fileMustExist: true });
  } catch {
    return { batches: 0, samples: 0, lost: undefined };
  }
  try {
    const rows = [...readable(old, 'ASC'), ...readable(old, 'DESC')];
    const insert = into.prepare(
      `INSERT OR IGNORE INTO batch (${COLUMNS}) VALUES (${COLUMNS.replace(/\w+/g, (name) => `@${name}`)})`,
    );
    return into.transaction(() => {
      let batches = 0;
      let samples = 0;
      for (const row of rows) {
        if (insert.run(row).changes === 0) continue;
        batches += 1;
        samples += row.samples;
      }
      return { batches, samples, lost: copyTotals(old, into, samples) };
    })();
  } finally {
    old.close();
  }
}

/** Every row from one end of the table to the first that cannot be read. */
function readable(old: Database.Database, direction: 'ASC' | 'DESC'): DamagedRow[] {
  const rows: DamagedRow[] = [];
  try {
    // Not by the index: it may be damaged where the table is whole.
    for (const row of old
      .prepare(`SELECT ${COLUMNS} FROM batch NOT INDEXED ORDER BY sequence ${direction}`)
      .iterate()) {
      rows.push(row as DamagedRow);
    }
  } catch {
    // Here the damage begins; the rows before it are what there is.
  }
  return rows;
}

function copyTotals(old: Database.Database, into: Database.Database, saved: number): number | undefined {
  const set = into.prepare('INSERT OR REPLACE INTO total VALUES (?, ?)');
  let totals: Map<string, number>;
  try {
    const rows = old.prepare('SELECT name, value FROM total').raw().all() as [string, number][];
    totals = new Map(rows);
    const sequence = old.prepare(`SELECT seq FROM sqlite_sequence WHERE name = 'batch'`).pluck().get() as
      number | undefined;
    if (sequence !== undefined) {
      into.prepare(`DELETE FROM sqlite_sequence WHERE name = 'batch'`).run();
      into.prepare(`INSERT INTO sqlite_sequence VALUES ('batch', ?)`).run(sequence);
    }
  } catch {
    set.run('generated', saved);
    return undefined;
  }
  const total = (name: string): number => totals.get(name) ?? 0;
  const lost = total('generated') - total('sent') - total('evicted') - total('dropped') - saved;
  for (const [name, value] of totals) set.run(name, value);
  set.run('evicted', total('evicted') + lost);
  return lost;
}
