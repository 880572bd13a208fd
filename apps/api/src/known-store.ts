import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Beside the settings, in the working folder, and so not on the disk of the database. */
const FILE = '.device-metrics-stores.json';
/** Databases that are remembered: those that were opened last. */
const MOST = 50;

/**
 * Remembers which databases there have been. An empty one in the place of one that was there before is most likely a disk
 * that is not mounted, and whoever starts with it finds nothing of what was stored.
 */
export class KnownStores {
  private readonly file: string;

  /** @param folder of the settings. */
  constructor(folder: string) {
    this.file = join(folder, FILE);
  }

  /** Why the api must not start with this database; undefined where it may. */
  whyNot(databasePath: string): string | undefined {
    const path = resolve(databasePath);
    if (existsSync(path) || !this.read().includes(path)) return undefined;
    return (
      `DATABASE_PATH ${databasePath} was there before and is gone: is its disk mounted? To begin with an empty database, start ` +
      'with --new.'
    );
  }

  /** @throws Error when the working folder cannot be written to. */
  remember(databasePath: string): void {
    const path = resolve(databasePath);
    const known = this.read();
    if (known.at(-1) === path) return;
    const paths = [...known.filter((one) => one !== path), path].slice(-MOST);
    writeFileSync(this.file, `${JSON.stringify(paths, null, 2)}\n`);
  }

  private read(): string[] {
    try {
      const paths: unknown = JSON.parse(readFileSync(this.file, 'utf8'));
      return Array.isArray(paths) ? paths.filter((path) => typeof path === 'string') : [];
    } catch {
      return [];
    }
  }
}
