import { mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readIfThere, updatesFolder } from '@device-metrics/settings';

/** How the last try of another version ended, until the api has been told. */
export interface UpdateResult {
  readonly tried: string;
  /** `failed`: it was started, and the version before goes on; `refused`: it was not started. */
  readonly result: 'updated' | 'failed' | 'refused';
  readonly reason: string;
}

/** What of a version is started. */
export interface Program {
  readonly node: string;
  readonly main: string;
}

const RESULT = 'result.json';
const CURRENT = 'current';

/**
 * Where versions lie that the collector has fetched, side by side; the link `current` leads to the one that `device-metrics collector`
 * starts in place of the one that was installed.
 */
export class UpdateFolder {
  constructor(readonly path: string) {}

  /** As `device-metrics`, the program of the packages, says; undefined where it does not, as from the source. */
  static ofThisInstallation(): UpdateFolder | undefined {
    const path = updatesFolder();
    return path === '' ? undefined : new UpdateFolder(path);
  }

  /** The folder of a version, whether it is there or not. */
  of(version: string): string {
    return join(this.path, version);
  }

  programOf(version: string): Program {
    const lib = join(this.of(version), 'lib');
    return { node: join(lib, 'node'), main: join(lib, 'apps/collector/dist/main.js') };
  }

  /** From the next start on this version runs. */
  switchTo(version: string): void {
    const draft = join(this.path, `${CURRENT}.new`);
    rmSync(draft, { force: true });
    symlinkSync(version, draft);
    renameSync(draft, join(this.path, CURRENT));
  }

  /** Deletes every version but the one that is started. */
  tidy(): void {
    const keep = new Set([CURRENT, RESULT, this.current()]);
    for (const name of this.names()) {
      if (!keep.has(name)) rmSync(join(this.path, name), { recursive: true, force: true });
    }
  }

  note(result: UpdateResult): void {
    mkdirSync(this.path, { recursive: true, mode: 0o700 });
    const file = join(this.path, RESULT);
    writeFileSync(`${file}.new`, JSON.stringify(result), { flush: true });
    renameSync(`${file}.new`, file);
  }

  /** What the api has not been told yet. */
  result(): UpdateResult | undefined {
    const text = readIfThere(join(this.path, RESULT), () => undefined);
    try {
      return text === undefined ? undefined : (JSON.parse(text) as UpdateResult);
    } catch {
      return undefined;
    }
  }

  forgetResult(): void {
    rmSync(join(this.path, RESULT), { force: true });
  }

  private current(): string | undefined {
    try {
      return basename(readlinkSync(join(this.path, CURRENT)));
    } catch {
      return undefined;
    }
  }

  private names(): string[] {
    try {
      return readdirSync(this.path);
    } catch {
      return [];
    }
  }
}
