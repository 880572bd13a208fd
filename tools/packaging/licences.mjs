import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { ROOT } from './bundle.mjs';

const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i;
const LINE = '='.repeat(80);

/** Of packages that name their licence and leave out its text. */
const TEXTS = {
  MIT: (holder) => `MIT License

Copyright (c) ${holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation
files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy,
modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`,
  Unlicense: () => `This is free and unencumbered software released into the public domain.

Anyone is free to copy, modify, publish, use, compile, sell, or distribute this software, either in source code form or as a
compiled binary, for any purpose, commercial or non-commercial, and by any means.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS BE LIABLE
FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

For more information, please refer to <https://unlicense.org/>
`,
};

/** What an npm package says of itself, and under which terms it may be passed on. @throws Error where that is not to be found. */
export function aboutPackage(folder) {
  const { name, version, license, author, repository } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const files = readdirSync(folder).filter((file) => LICENCE_FILE.test(file));
  const texts = files.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim());
  const licence = typeof license === 'string' ? license : license?.type;
  if (licence === undefined) throw new Error(`${name} does not say its licence`);
  const holder = (typeof author === 'string' ? author : author?.name) ?? `the authors of ${name}`;
  if (texts.length === 0 && TEXTS[licence] === undefined) {
    throw new Error(`${name} leaves out the text of its licence ${licence}`);
  }
  const text = texts.length > 0 ? texts.join('\n\n') : TEXTS[licence](holder);
  const address = typeof repository === 'string' ? repository : repository?.url;
  return { folder, name, version, licence, text, address };
}

/** The licence of Node and of all that is in it: what lies beside the program, or as it was with Node 20. */
export function licenceOfNode(node) {
  const places = [join(dirname(node), '../LICENSE'), join(import.meta.dirname, 'licences/node.txt')];
  return readFileSync(
    places.find((file) => existsSync(file)),
    'utf8',
  );
}

/** Every licence with its text, one package after the other. */
export function licenceTexts(packages, nodeVersion, nodeLicence) {
  const parts = [
    `Device Metrics is under the MIT licence. In this package are the following works of others.`,
    ...packages.map(
      ({ name, version, licence, address, text }) =>
        `${LINE}\n${name} ${version}, ${licence}${address === undefined ? '' : `, ${address}`}\n\n${text.trim()}`,
    ),
    `${LINE}\nSQLite, public domain, https://sqlite.org/copyright.html, within better-sqlite3`,
    `${LINE}\nNode.js ${nodeVersion}\n\n${nodeLicence.trim()}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

/** What is in the package, as CycloneDX 1.5 has it. */
export function sbomOf({ name, version, modified, packages, nodeVersion }) {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const componentOf = ({ folder, name: called, version: its, licence }) => {
    const purl = `pkg:npm/${called.replace('@', '%40')}@${its}`;
    const { integrity = '' } = lock[relative(ROOT, folder).replaceAll(sep, '/')] ?? {};
    const [, base64] = /^sha512-(.+)$/.exec(integrity) ?? [];
    const hashes = base64 && [{ alg: 'SHA-512', content: Buffer.from(base64, 'base64').toString('hex') }];
    const isId = /^[\w.+-]+$/.test(licence);
    return {
      type: 'library',
      'bom-ref': purl,
      name: called,
      version: its,
      purl,
      licenses: [isId ? { license: { id: licence } } : { expression: licence }],
      ...(hashes && { hashes }),
    };
  };
  const node = {
    type: 'platform',
    'bom-ref': `pkg:generic/node@${nodeVersion}`,
    name: 'node',
    version: nodeVersion,
    purl: `pkg:generic/node@${nodeVersion}`,
    licenses: [{ license: { id: 'MIT' } }],
  };
  const sbom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: {
      timestamp: new Date(modified * 1_000).toISOString(),
      component: { type: 'application', 'bom-ref': `${name}@${version}`, name, version },
    },
    components: [...packages.map(componentOf), node],
  };
  return `${JSON.stringify(sbom, null, 2)}\n`;
}
