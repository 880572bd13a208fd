import { execFile } from 'node:child_process';
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { reasonOf } from '@device-metrics/domain';

const SCHEDULED = /^device-metrics-\d{4}-\d{2}-\d{2}T[\d-]+(\.\d+)?Z\.db$/;
const SUFFIXES = ['', '-wal', '-shm', '-journal'];

/** The folder of `BACKUP_PATH`. */
export class BackupFiles {
  constructor(
    readonly folder: string,
    /** How many scheduled ones stay. */
    private readonly keep: number,
  ) {}

  /**
   * Makes a backup, opens it and checks it; one that is not whole does not get the name.
   *
   * @param write writes the copy to a new file.
   * @returns its path. @throws Error where it could not be made, or is not whole.
   */
  async make(name: string, write: (path: string) => Promise<void>): Promise<string> {
    await mkdir(this.folder, { recursive: true });
    const target = join(this.folder, name);
    const draft = `${target}.part`;
    try {
      await remove(draft);
      await write(draft);
      await checkApart(draft);
      flush(draft);
      await rename(draft, target);
      flush(this.folder);
    } finally {
      await remove(draft);
    }
    return target;
  }

  /** Of the schedule, the newest first, and last those of a time yet to come: the clock was ahead then. */
  async scheduled(now: number): Promise<string[]> {
    const names = (await readdir(this.folder).catch(() => [])).filter((name) => SCHEDULED.test(name)).sort();
    const known = names.filter((name) => timeOf(name) <= now);
    return [...known.reverse(), ...names.filter((name) => !known.includes(name))];
  }

  /** When the newest of the schedule was made, Unix ms; undefined where there is none. */
  async newest(now: number): Promise<number | undefined> {
    const [name] = await this.scheduled(now);
    return name !== undefined && timeOf(name) <= now ? timeOf(name) : undefined;
  }

  /**
   * Deletes scheduled ones beyond those that stay, and what a crash has left.
   *
   * @param made when one was made that stays in any case, Unix ms: by a clock that is behind it is the oldest.
   */
  async removeOld(made: number): Promise<void> {
    const others = (await this.scheduled(made)).filter((name) => name !== scheduledName(made));
    for (const name of others.slice(this.keep - 1)) await rm(join(this.folder, name), { force: true });
    await this.removeDrafts();
  }

  /** Deletes what a crash has left of backups; none may be under way. */
  async removeDrafts(): Promise<void> {
    const names = await readdir(this.folder).catch(() => []);
    for (const name of names) if (/\.db\.part(-\w+)?$/.test(name)) await rm(join(this.folder, name), { force: true });
  }
}

export const scheduledName = (now: number): string =>
  `device-metrics-${new Date(now).toISOString().replaceAll(':', '-')}.db`;

/** When one was made, Unix ms. */
const timeOf = (name: string): number =>
  Date.parse(name.replace(/^device-metrics-(.*)T(\d+)-(\d+)-(.*)\.db$/, '$1T$2:$3:$4'));

/** In a process of its own: the check of a large file takes long, and this one has samples to take. @throws Error with the reason. */
async function checkApart(file: string): Promise<void> {
  const [, program = ''] = process.argv;
  try {
    await promisify(execFile)(process.execPath, [program, 'check', file]);
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    throw new Error(`the copy is not whole: ${stderr.trim() || reasonOf(error)}`, { cause: error });
  }
}

async function remove(file: string): Promise<void> {
  for (const suffix of SUFFIXES) await rm(file + suffix, { force: true });
}

/** To the disk, before anybody relies on it. */
function flush(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
