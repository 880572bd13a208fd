import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { PackageFacts } from '@device-metrics/domain';
import { writeTarGz, type ArchiveEntry } from './archive.js';

/** A package of the collector that this api gives to PCs. */
export interface CollectorPackage extends PackageFacts {
  readonly path: string;
}

/** Which of the files of a server package are those of the collector, under which names. */
export interface PackageManifest {
  readonly name: string;
  /** Of every file, seconds since the epoch. */
  readonly modified: number;
  readonly entries: readonly { readonly name: string; readonly from: string; readonly mode: number }[];
}

const NAME = /^device-metrics-collector_([0-9A-Za-z.+~-]+)_([a-z]+)_([a-z0-9]+)\.tar\.gz$/;

/** Beside the programs, where they come from a package. */
const MANIFEST = fileURLToPath(new URL('../../../../collector-package.json', import.meta.url));

/**
 * Makes the package of the collector of the files that this api itself came with, unless it is there already. Without one the
 * server's package would have the same hundred megabytes twice.
 *
 * @returns whether there is such a package; not where the api runs from its source.
 */
export async function makeOwnPackage(folder: string, manifestFile = MANIFEST): Promise<boolean> {
  if (!existsSync(manifestFile)) return false;
  const { name, modified, entries } = JSON.parse(readFileSync(manifestFile, 'utf8')) as PackageManifest;
  const target = join(folder, name);
  if (existsSync(target)) return true;
  await mkdir(folder, { recursive: true });
  const root = dirname(manifestFile);
  const files = entries.map(({ name: as, from, mode }): ArchiveEntry => ({ name: as, mode, file: join(root, from) }));
  const draft = `${target}.new`;
  await writeTarGz(draft, files, modified);
  await rename(draft, target);
  for (const other of await readdir(folder)) {
    const isOlder = NAME.test(other) && other !== name && platformOf(other) === platformOf(name);
    if (isOlder || (other.endsWith('.new') && other !== name)) await rm(join(folder, other), { force: true });
  }
  return true;
}

const platformOf = (name: string): string => (NAME.exec(name) ?? []).slice(2).join(' ');

/** The packages in a folder, with what is to be known of them; none where there is no folder. */
export class PackageFolder {
  /** By path, size and time: a hundred megabytes are not read for each question. */
  private readonly known = new Map<string, CollectorPackage>();

  constructor(private readonly folder: string) {}

  async list(): Promise<CollectorPackage[]> {
    const names = await readdir(this.folder).catch(() => []);
    const found = await Promise.all(names.sort().map((name) => this.find(name)));
    return found.filter((one) => one !== undefined);
  }

  async find(name: string): Promise<CollectorPackage | undefined> {
    const [, version = '', system = '', architecture = ''] = NAME.exec(name) ?? [];
    const path = join(this.folder, name);
    const file = version === '' ? undefined : await stat(path).catch(() => undefined);
    if (!file?.isFile()) return undefined;
    const key = `${path} ${file.size} ${file.mtimeMs} ${file.ino}`;
    const before = this.known.get(key);
    if (before) return before;
    const sha256 = await sha256Of(path);
    const found = { name, version, system, architecture, size: file.size, sha256, path };
    this.known.set(key, found);
    return found;
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) hash.update(piece);
  return hash.digest('hex');
}
