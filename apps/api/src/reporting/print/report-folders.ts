import { open, mkdir, readdir, rename, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GENERATOR } from './page.js';

/** Of a run that is whole: when it was made, in UTC, with characters that every file system takes. */
const RUN = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z$/;
const UNFINISHED = '.unfinished-';
const INDEX = 'index.html';

/** A run that is being written; nobody sees it before it is finished. */
export interface OpenRun {
  /** Writes a page and does not return before it is on disk; of one that fails nothing is left. */
  write(file: string, page: AsyncIterable<string>): Promise<void>;
  /** Writes the index and lets the run be seen, under the name that is returned. */
  finish(index: string): Promise<string>;
  discard(): Promise<void>;
}

/** The folders of the runs, all in one folder. */
export class ReportFolders {
  /** @param keep how many runs stay. */
  constructor(
    private readonly path: string,
    private readonly keep: number,
  ) {}

  /** @param now Unix milliseconds. */
  async openRun(now: number): Promise<OpenRun> {
    await this.removeUnfinished();
    const name = new Date(now).toISOString().replaceAll(':', '-');
    const unfinished = join(this.path, UNFINISHED + name);
    await mkdir(unfinished, { recursive: true });
    return {
      write: async (file, page) => {
        try {
          await writeFile(join(unfinished, file), page, { flush: true });
        } catch (error) {
          await rm(join(unfinished, file), { force: true });
          throw error;
        }
      },
      finish: async (index) => {
        await writeFile(join(unfinished, INDEX), index, { flush: true });
        await rename(unfinished, join(this.path, name));
        return name;
      },
      discard: () => rm(unfinished, { recursive: true, force: true }),
    };
  }

  /** When the newest run was made, Unix ms, of those not after `now`; undefined where there is none. */
  async newest(now: number): Promise<number | undefined> {
    const names = await readdir(this.path).catch(() => []);
    const times = names.flatMap((name) => (RUN.test(name) ? [madeAt(name)] : []));
    return times
      .filter((time) => time <= now)
      .reduce<number | undefined>((newest, time) => Math.max(newest ?? time, time), undefined);
  }

  /**
   * Deletes the oldest runs beyond the number that is kept; files that others have put there stay.
   *
   * @param made the run that stays in any case. Those of a later time go first: the clock was ahead as they were made.
   */
  async removeOld(made: string): Promise<void> {
    const others: string[] = [];
    for (const { name } of await readdir(this.path, { withFileTypes: true })) {
      if (name !== made && RUN.test(name) && (await isOurs(join(this.path, name, INDEX)))) others.push(name);
    }
    const before = others.filter((name) => name < made).sort();
    const ordered = [...others.filter((name) => name > made), ...before];
    for (const name of ordered.slice(0, Math.max(0, ordered.length + 1 - this.keep))) {
      await removeRun(join(this.path, name));
    }
  }

  /** What a crash left behind. */
  private async removeUnfinished(): Promise<void> {
    await mkdir(this.path, { recursive: true });
    for (const name of await readdir(this.path)) {
      if (!name.startsWith(UNFINISHED) || !RUN.test(name.slice(UNFINISHED.length))) continue;
      await rm(join(this.path, name), { recursive: true, force: true });
    }
  }
}

/** The time in the name of a run, Unix ms. */
const madeAt = (name: string): number => Date.parse(name.replace(/T(\d\d)-(\d\d)-/, 'T$1:$2:'));

/** The index goes last, since a run without one is no run any more. */
async function removeRun(folder: string): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.html') && file !== INDEX);
  for (const file of [...files, INDEX]) {
    if (await isOurs(join(folder, file))) await unlink(join(folder, file));
  }
  await rmdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
}

/** Whether a file says of itself that this program made it. */
async function isOurs(path: string): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  if (!file) return false;
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(512), position: 0 });
    return buffer.toString('utf8', 0, bytesRead).includes(`content="${GENERATOR}"`);
  } catch {
    return false;
  } finally {
    await file.close();
  }
}
