import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { copySqlite, schemaStateOf } from '@device-metrics/storage';
import { reasonOf } from '@device-metrics/domain';
import { commandLine, SettingsError } from '@device-metrics/settings';
import type { ApiSettings } from '../settings.js';
import { version } from '../version.js';
import { BackupFiles } from './backup-files.js';
import { REPAIR_HINT, repairHintFor } from './repair-hint.js';

/** A database that this version is about to change, and the checked backup that was made before. */
export interface Upgrade {
  readonly backup: string;
  /** Puts the database back as it was; nobody may have it open. */
  undo(): void;
}

/**
 * Looks at the database before it is opened. One that this version would change is copied before, and the copy is checked.
 *
 * @returns undefined where there is nothing to change.
 * @throws SettingsError where a newer version has changed it, or no backup can be made.
 */
export async function prepareUpgrade(
  { databasePath, databaseUrl, operation }: ApiSettings,
  now: number,
  say: (message: string) => void,
): Promise<Upgrade | undefined> {
  // PostgreSQL has backups of its own.
  const state = databaseUrl === '' ? readable(() => schemaStateOf(databasePath)) : undefined;
  if (!state) return undefined;
  if (state.unknown.length > 0 && state.pending.length > 0) {
    throw new SettingsError([
      `DATABASE_PATH ${databasePath} says ${state.unknown.join(', ')} where every version has ${state.pending.join(', ')}: it is ` +
        `damaged${REPAIR_HINT}`,
    ]);
  }
  if (state.unknown.length > 0) {
    throw new SettingsError([
      `DATABASE_PATH ${databasePath} was made by a newer version of Device Metrics, and this is ${version()}, which does not know ` +
        `its ${state.unknown.join(', ')}. Install the newer version again; or go back with all data from before it, by ` +
        `${commandLine('api')} restore and the file before-… in ${operation.backupPath}`,
    ]);
  }
  if (state.pending.length === 0) return undefined;
  say(`This version changes the database (${state.pending.join(', ')}); a backup is made before`);
  const files = new BackupFiles(operation.backupPath, operation.backupKeep);
  // Each as large as the database: a start that is ended again and again would fill the disk with them.
  await files.removeDrafts();
  const name = `before-${version()}-${new Date(now).toISOString().replaceAll(':', '-')}.db`;
  const backup = await files
    .make(name, async (file) => copySqlite(databasePath, file))
    .catch((error: unknown) => {
      throw new SettingsError([
        `BACKUP_PATH ${operation.backupPath}: there is no backup of the database before this version changes it, so that it stays as ` +
          `it is: ${reasonOf(error)}${repairHintFor(error)}`,
      ]);
    });
  say(`The backup is ${backup}`);
  return { backup, undo: () => putBack(backup, databasePath) };
}

function putBack(backup: string, databasePath: string): void {
  const draft = `${databasePath}.restoring`;
  copyFileSync(backup, draft);
  for (const suffix of ['-wal', '-shm']) rmSync(databasePath + suffix, { force: true });
  renameSync(draft, databasePath);
}

/** What cannot be read here cannot be opened later either, which says more. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
