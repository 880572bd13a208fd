import { createReadStream, createWriteStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** What an archive holds under a name: a file of this machine, a text, the target of a link, or nothing, for a folder. */
export type ArchiveEntry = { readonly name: string; readonly mode: number } & (
  { readonly file: string } | { readonly text: string } | { readonly link: string } | { readonly folder: true }
);

const BLOCK = 512;
/** The best that still takes seconds: beyond it 100 MB cost three times as long for one part in a hundred. */
const LEVEL = 6;

/**
 * Writes a `tar.gz` (POSIX ustar). The same entries make the same bytes: everything belongs to root and has one time.
 *
 * @param modified of every entry, seconds since the epoch.
 */
export async function writeTarGz(target: string, entries: readonly ArchiveEntry[], modified: number): Promise<void> {
  const content = Readable.from(blocksOf(entries, modified), { objectMode: false });
  await pipeline(content, createGzip({ level: LEVEL }), createWriteStream(target, { flush: true }));
}

/** A folder and everything in it, in the order of the names, as entries under `name`. */
export async function entriesOf(folder: string, name: string): Promise<ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [{ name, mode: 0o755, folder: true }];
  for (const child of (await readdir(folder)).sort()) {
    const [path, as] = [join(folder, child), `${name}/${child}`];
    const stat = await lstat(path);
    if (stat.isDirectory()) for (const inside of await entriesOf(path, as)) entries.push(inside);
    else if (stat.isSymbolicLink()) entries.push({ name: as, mode: 0o777, link: await readlink(path) });
    else entries.push({ name: as, mode: stat.mode & 0o100 ? 0o755 : 0o644, file: path });
  }
  return entries;
}

async function* blocksOf(entries: readonly ArchiveEntry[], modified: number): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    const text = 'text' in entry ? Buffer.from(entry.text) : undefined;
    const size = 'file' in entry ? (await lstat(entry.file)).size : (text?.length ?? 0);
    yield headerOf(entry, size, modified);
    if (text) yield text;
    if ('file' in entry) yield* wholeFile(entry.file, size);
    yield Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(2 * BLOCK);
}

/** @throws Error where the file has another size than its header says. */
async function* wholeFile(file: string, size: number): AsyncGenerator<Buffer> {
  let read = 0;
  for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) {
    read += piece.length;
    yield piece;
  }
  if (read !== size) throw new Error(`${file} changed while it was read`);
}

function headerOf(entry: ArchiveEntry, size: number, modified: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  const isFolder = 'folder' in entry;
  const [prefix, name] = splitName(isFolder ? `${entry.name}/` : entry.name);
  const octal = (value: number, at: number, length: number): void => {
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  };
  header.write(name, 0);
  octal(entry.mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(modified, 136, 12);
  header.fill(' ', 148, 156);
  header.write(isFolder ? '5' : 'link' in entry ? '2' : '0', 156);
  if ('link' in entry) header.write(entry.link, 157);
  header.write('ustar\x0000', 257, 'latin1');
  header.write('root', 265);
  header.write('root', 297);
  header.write(prefix, 345);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

/** Names longer than a header's field begin in another. @throws Error where they do not fit there. */
function splitName(name: string): [prefix: string, name: string] {
  if (Buffer.byteLength(name) <= 100) return ['', name];
  const at = name.lastIndexOf('/', name.length - 2);
  for (let cut = name.indexOf('/', Math.max(0, name.length - 101)); cut !== -1 && cut <= at;) {
    const [prefix, rest] = [name.slice(0, cut), name.slice(cut + 1)];
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(rest) <= 100) return [prefix, rest];
    cut = name.indexOf('/', cut + 1);
  }
  throw new Error(`${name} is too long for an archive`);
}
