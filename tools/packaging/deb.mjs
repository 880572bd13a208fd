import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { writeTarGz } from '../../apps/api/dist/packages/archive.js';

/** Debian's names of architectures. */
export const DEBIAN_ARCHITECTURE = { x64: 'amd64', arm64: 'arm64', arm: 'armhf' };

/**
 * Writes a Debian package: an `ar` archive of its control files and its data.
 *
 * @param control fields of the control file, without sizes.
 * @param scripts by name, such as `postinst`.
 * @param entries of the data, under names without a slash before them.
 */
export async function writeDeb(target, { control, scripts, entries, modified }) {
  const bytes = (entry) =>
    'file' in entry ? statSync(entry.file).size : 'text' in entry ? Buffer.byteLength(entry.text) : 0;
  const size = Math.ceil(entries.reduce((sum, entry) => sum + bytes(entry), 0) / 1024);
  const contentOf = (entry) => ('file' in entry ? readFileSync(entry.file) : Buffer.from(entry.text));
  const sums = entries
    .filter((entry) => 'file' in entry || 'text' in entry)
    .map((entry) => `${createHash('md5').update(contentOf(entry)).digest('hex')}  ${entry.name}\n`)
    .sort((a, b) => (a.slice(34) < b.slice(34) ? -1 : 1));
  const [description, ...more] = control.Description.split('\n');
  const fields = {
    ...control,
    'Installed-Size': size,
    Description: [description, ...more.map((line) => ` ${line}`)].join('\n'),
  };
  const controlFiles = [
    { name: '.', mode: 0o755, folder: true },
    {
      name: './control',
      mode: 0o644,
      text: Object.entries(fields)
        .map(([name, value]) => `${name}: ${value}\n`)
        .join(''),
    },
    { name: './md5sums', mode: 0o644, text: sums.join('') },
    ...Object.entries(scripts).map(([name, text]) => ({ name: `./${name}`, mode: 0o755, text })),
  ];
  const draft = `${target}.part`;
  const member = async (name, files) => {
    await writeTarGz(draft, files, modified);
    return [name, readFileSync(draft)];
  };
  const data = [{ name: '.', mode: 0o755, folder: true }, ...withFolders(entries)];
  const members = [
    ['debian-binary', Buffer.from('2.0\n')],
    await member('control.tar.gz', controlFiles),
    await member(
      'data.tar.gz',
      data.map((entry) => ({ ...entry, name: entry.name === '.' ? '.' : `./${entry.name}` })),
    ),
  ];
  rmSync(draft);
  writeFileSync(
    target,
    Buffer.concat([
      Buffer.from('!<arch>\n'),
      ...members.flatMap(([name, content]) => arMember(name, content, modified)),
    ]),
  );
}

/** Every folder before what is in it. */
function withFolders(entries) {
  const all = new Map(entries.map((entry) => [entry.name, entry]));
  for (const { name } of entries) {
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      const folder = name.slice(0, at);
      if (!all.has(folder)) all.set(folder, { name: folder, mode: 0o755, folder: true });
    }
  }
  return [...all.values()].sort((a, b) => (`${a.name}/` < `${b.name}/` ? -1 : 1));
}

function arMember(name, content, modified) {
  const field = (value, length) => String(value).padEnd(length);
  const head = `${field(name, 16)}${field(modified, 12)}${field(0, 6)}${field(0, 6)}${field('100644', 8)}${field(content.length, 10)}\`\n`;
  return [Buffer.from(head), content, Buffer.alloc(content.length % 2, '\n')];
}

/** As Debian wants its changelogs: without the time of the compression. */
export const gzipped = (text) => gzipSync(text, { level: 9 });
