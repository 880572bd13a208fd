import { realpathSync, statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';

/**
 * The files of a database, as they were when it was opened. Somebody may delete, move or replace them while it is open; then what is
 * written goes to files that nobody finds again.
 */
export class DatabaseFiles {
  private readonly path: string;
  private readonly file: string | undefined;
  private readonly log: string;
  /** As it is since the last look; it comes into being with the first commit. */
  private knownLog: string | undefined;

  /** @param say hears that the log was deleted. */
  constructor(
    private readonly db: Database,
    private readonly say: (problem: string) => void,
  ) {
    this.path = db.memory ? '' : realpathSync(db.name);
    this.file = identityOf(this.path);
    this.log = `${this.path}-wal`;
    this.knownLog = identityOf(this.log);
  }

  /**
   * Makes the log anew where it was deleted: what it had is in the database then.
   *
   * @returns why nothing may be written; undefined where it may.
   */
  look(): string | undefined {
    if (this.db.memory) return undefined;
    if (identityOf(this.path) !== this.file) {
      return `${this.path} was deleted, moved or replaced while it is in use; put it back, or take a backup and start again`;
    }
    const log = identityOf(this.log);
    if (this.knownLog !== undefined && log !== this.knownLog) this.makeLogAnew();
    else this.knownLog = log;
    return undefined;
  }

  /** @throws SqliteError where somebody reads just now. */
  private makeLogAnew(): void {
    this.db.pragma('journal_mode = DELETE');
    this.db.pragma('journal_mode = WAL');
    this.knownLog = identityOf(this.log);
    this.say(`${this.log} was deleted while it is in use; it is made anew, and nothing is lost`);
  }
}

/** Another one for another file; undefined where there is none. */
function identityOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && `${stats.dev} ${stats.ino}`;
}
