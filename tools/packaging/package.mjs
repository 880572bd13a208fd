/**
 * `npm run package`: packages of server and collector for this platform, in dist/packages. Nothing is fetched, and the same
 * sources make the same bytes.
 *
 *   npm run package -- --node /path/to/node    the Node that goes into them; without it: the one that runs this
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageFor } from '@device-metrics/sqlite';
import { entriesOf, writeTarGz } from '../../apps/api/dist/packages/archive.js';
import { bundlePrograms, emptyFolder, ROOT } from './bundle.mjs';
import { DEBIAN_ARCHITECTURE, gzipped, writeDeb } from './deb.mjs';
import { aboutPackage, licenceOfNode, licenceTexts, sbomOf } from './licences.mjs';

const FILES = join(import.meta.dirname, 'files');
const HOME = 'usr/lib/device-metrics';
const EXECUTABLE = /^(bin\/device-metrics|lib\/node|share\/\w+\.sh)$/;
const MIB = 2 ** 20;
/** Of the compressed package, MiB. */
const LARGEST = { server: 60, collector: 45 };
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

const { values } = parseArgs({ options: { node: { type: 'string' }, out: { type: 'string' } } });
const out = values.out ?? join(ROOT, 'dist/packages');
const node = realpathSync(values.node ?? process.execPath);
const about = JSON.parse(
  execFileSync(
    node,
    ['-p', 'JSON.stringify({ ...process.versions, platform: process.platform, arch: process.arch })'],
    { encoding: 'utf8' },
  ),
);
if (Number.parseInt(about.node, 10) < 24) {
  console.log(`Node ${about.node} goes into the packages; 24 is recommended: run this with it, after npm ci with it`);
}
const modified = timeOfSources();

const work = join(ROOT, 'dist/packaging');
emptyFolder(work);
mkdirSync(out, { recursive: true });
const stripped = strippedNode(join(work, 'node'));
const collector = await treeOf('collector', ['collector']);
const server = await treeOf('server', ['api', 'collector']);
writeManifest(server, collector);
for (const tree of [collector, server]) {
  await writeTarball(tree);
  await writeDebianPackage(tree);
}
rmSync(work, { recursive: true });

/** Seconds: of the last commit, or what SOURCE_DATE_EPOCH says, as https://reproducible-builds.org has it. */
function timeOfSources() {
  if (process.env.SOURCE_DATE_EPOCH) return Number(process.env.SOURCE_DATE_EPOCH);
  try {
    return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: ROOT, encoding: 'utf8' }));
  } catch {
    return Math.floor(statSync(join(ROOT, 'package.json')).mtimeMs / 1_000);
  }
}

/** Without its symbols it is a seventh smaller. */
function strippedNode(target) {
  copyFileSync(node, target);
  chmodSync(target, 0o755);
  try {
    execFileSync('strip', ['--strip-unneeded', target], { stdio: 'ignore' });
  } catch {
    console.log('strip (package binutils) is missing: Node keeps its symbols, and the packages are larger');
  }
  return target;
}

/** All files of a package, in a folder as it lies in `/usr/lib`. */
async function treeOf(name, programs) {
  const folder = join(work, name);
  const lib = join(folder, 'lib');
  mkdirSync(join(folder, 'bin'), { recursive: true });
  cpSync(join(FILES, 'device-metrics'), join(folder, 'bin/device-metrics'));
  chmodSync(join(folder, 'bin/device-metrics'), 0o755);
  const found = (await bundlePrograms(lib, programs, packageFor(about.node))).map(aboutPackage);
  // npm may have put one package into several folders.
  const packages = [...new Map(found.map((one) => [`${one.name} ${one.version}`, one])).values()];
  packages.sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
  copyFileSync(stripped, join(lib, 'node'));
  writeFileSync(join(lib, 'package.json'), '{ "type": "module" }\n');
  const share = join(folder, 'share');
  mkdirSync(join(share, 'units'), { recursive: true });
  mkdirSync(join(share, 'etc'));
  const full = name === 'server' ? 'device-metrics' : 'device-metrics-collector';
  writeFileSync(join(share, 'licences.txt'), licenceTexts(packages, about.node, licenceOfNode(node)));
  writeFileSync(
    join(share, 'sbom.cdx.json'),
    sbomOf({ name: full, version, modified, packages, nodeVersion: about.node }),
  );
  const described = { name: full, version, system: about.platform, architecture: about.arch, node: about.node };
  writeFileSync(join(share, 'package.json'), `${JSON.stringify(described, null, 2)}\n`);
  for (const file of ['install.sh', 'setup.sh']) {
    copyFileSync(join(FILES, file), join(share, file));
    chmodSync(join(share, file), 0o755);
  }
  copyFileSync(join(ROOT, 'collector.example.yaml'), join(share, 'collector.example.yaml'));
  copyFileSync(join(ROOT, 'docs/operations.md'), join(share, 'operations.md'));
  copyFileSync(
    join(FILES, 'org.device-metrics.collector.plist'),
    join(share, 'units/org.device-metrics.collector.plist'),
  );
  for (const program of programs) {
    copyFileSync(
      join(FILES, `device-metrics-${program}.service`),
      join(share, `units/device-metrics-${program}.service`),
    );
    for (const kind of ['env', 'yaml']) {
      const file = join(FILES, `${program}.${kind}`);
      if (existsSync(file)) copyFileSync(file, join(share, 'etc', `${program}.${kind}`));
    }
  }
  for (const path of filesOf(folder)) chmodSync(join(folder, path), EXECUTABLE.test(path) ? 0o755 : 0o644);
  return { name, full, folder, programs };
}

/** Says of the server's files which make the collector's package; those that differ lie in a folder of their own. */
function writeManifest(of, collectorTree) {
  const manifest = join(of.folder, 'lib/collector-package.json');
  const entries = [];
  for (const path of filesOf(collectorTree.folder)) {
    const [own, shared] = [join(collectorTree.folder, path), join(of.folder, path)];
    const isSame = existsSync(shared) && readFileSync(own).equals(readFileSync(shared));
    const from = isSame ? `../${path}` : `collector-only/${path}`;
    if (!isSame) cpSync(own, join(of.folder, 'lib', from));
    entries.push({ name: `device-metrics-collector/${path}`, from, mode: statSync(own).mode & 0o100 ? 0o755 : 0o644 });
  }
  const name = `device-metrics-collector_${version}_${about.platform}_${about.arch}.tar.gz`;
  writeFileSync(manifest, `${JSON.stringify({ name, modified, entries })}\n`);
}

function filesOf(folder) {
  const found = execFileSync('find', ['.', '-type', 'f'], { cwd: folder, encoding: 'utf8' });
  return found
    .trim()
    .split('\n')
    .map((path) => path.slice(2))
    .sort();
}

async function writeTarball({ full, folder, name }) {
  const entries = filesOf(folder).map((path) => {
    const file = join(folder, path);
    return { name: `${full}/${path}`, mode: statSync(file).mode & 0o100 ? 0o755 : 0o644, file };
  });
  const target = join(out, `${full}_${version}_${about.platform}_${about.arch}.tar.gz`);
  await writeTarGz(`${target}.new`, entries, modified);
  renameSync(`${target}.new`, target);
  say(target, name);
}

async function writeDebianPackage({ full, folder, name, programs }) {
  const architecture = DEBIAN_ARCHITECTURE[about.arch];
  if (about.platform !== 'linux' || architecture === undefined) return;
  const copyright = `Device Metrics
Copyright: the authors of Device Metrics
License: MIT, whose text is at https://spdx.org/licenses/MIT.html

The works of others that are in this package, and the terms of each in the words of its authors, are in
/${HOME}/share/licences.txt.
`;
  const changelog = `${full} (${version}) stable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- Device Metrics <maintainers@device-metrics.invalid>  ${new Date(modified * 1_000).toUTCString().replace('GMT', '+0000')}\n`;
  writeFileSync(join(folder, 'changelog.gz'), gzipped(changelog));
  const doc = `usr/share/doc/${full}`;
  const entries = [
    ...(await entriesOf(join(folder, 'bin'), `${HOME}/bin`)),
    ...(await entriesOf(join(folder, 'lib'), `${HOME}/lib`)),
    ...(await entriesOf(join(folder, 'share'), `${HOME}/share`)),
    { name: 'usr/bin/device-metrics', mode: 0o777, link: '../lib/device-metrics/bin/device-metrics' },
    ...programs.map((program) => ({
      name: `lib/systemd/system/device-metrics-${program}.service`,
      mode: 0o644,
      file: join(FILES, `device-metrics-${program}.service`),
    })),
    { name: `${doc}/copyright`, mode: 0o644, text: copyright },
    { name: `${doc}/changelog.gz`, mode: 0o644, file: join(folder, 'changelog.gz') },
    { name: `usr/share/lintian/overrides/${full}`, mode: 0o644, text: lintianOverrides(full) },
  ];
  const other = name === 'server' ? 'device-metrics-collector' : 'device-metrics';
  const control = {
    Package: full,
    Version: version,
    Architecture: architecture,
    Maintainer: 'Device Metrics <maintainers@device-metrics.invalid>',
    Depends: 'libc6 (>= 2.28), libgcc-s1, libstdc++6, passwd',
    Conflicts: other,
    ...(name === 'server' && { Provides: other, Replaces: other }),
    Section: 'net',
    Priority: 'optional',
    Description:
      name === 'server'
        ? 'metrics of PCs and third-party devices: server and collector\nCollects metrics, stores them for years in one SQLite file, reports on them and\nsays when something is wrong. It brings its own Node.'
        : 'metrics of this PC and of third-party devices: collector\nReads this PC and the devices that its configuration names, and sends what it\nreads to a server of Device Metrics. It brings its own Node.',
  };
  const target = join(out, `${full}_${version}_${architecture}.deb`);
  const deb = {
    control,
    scripts: maintainerScripts(programs),
    entries,
    modified,
  };
  await writeDeb(`${target}.new`, deb);
  renameSync(`${target}.new`, target);
  say(target, name);
}

function maintainerScripts(programs) {
  const each = (list, action) => list.map((program) => `    /${HOME}/share/setup.sh ${action} ${program}`).join('\n');
  const stopFirst = [...programs].reverse();
  return {
    preinst: `#!/bin/sh
set -e
if [ "$1" != abort-upgrade ] && [ -e /opt/device-metrics/share/install.sh ]; then
  echo 'Device Metrics is in /opt/device-metrics here, and its services would run on in the place of these. First:' >&2
  echo '  /opt/device-metrics/share/install.sh --uninstall --keep-data' >&2
  exit 1
fi
`,
    postinst: `#!/bin/sh
set -e
case "$1" in
  configure)
${each(programs, 'configure')}
    ;;
esac
`,
    prerm: `#!/bin/sh
set -e
case "$1" in
  remove | deconfigure)
${each(stopFirst, 'stop')}
    ;;
esac
# What purging takes goes with the package; it is kept for that.
if [ "$1" = remove ]; then
  mkdir -p /var/lib/device-metrics
  cp /${HOME}/share/setup.sh /var/lib/device-metrics/setup.sh
fi
`,
    postrm: `#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
fi
if [ "$1" = purge ]; then
  for program in ${programs.join(' ')}; do
    # The other package of Device Metrics may have come in the place of this one.
    [ ! -e "/${HOME}/lib/apps/$program" ] || continue
    [ ! -e /var/lib/device-metrics/setup.sh ] || sh /var/lib/device-metrics/setup.sh purge "$program"
    [ -e /var/lib/device-metrics/keep ] || rm -f /etc/device-metrics/$program.env /etc/device-metrics/$program.yaml
  done
  rm -f /var/lib/device-metrics/setup.sh
  rmdir /var/lib/device-metrics 2>/dev/null || true
  rmdir /etc/device-metrics 2>/dev/null || true
fi
`,
  };
}

/** What lintian cannot know; each with its reason. */
function lintianOverrides(full) {
  return [
    '# Node and SQLite come along, so that one package runs on every release of Debian and Ubuntu.',
    `${full}: embedded-library *`,
    `${full}: unstripped-binary-or-object *`,
    '',
  ].join('\n');
}

/** Prints what was made, and ends the process where it is larger than it may be. */
function say(target, name) {
  const { size } = statSync(target);
  const sha256 = createHash('sha256').update(readFileSync(target)).digest('hex');
  console.log(`${sha256}  ${target.slice(out.length + 1)}  ${(size / MIB).toFixed(1)} MiB of at most ${LARGEST[name]}`);
  if (size <= LARGEST[name] * MIB) return;
  console.error(`${target} is larger than it may be`);
  process.exit(1);
}
