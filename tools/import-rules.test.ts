import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const root = join(import.meta.dirname, '..');
// Types have no part in import rules, and a file that is only a text has none.
const eslint = new ESLint({ cwd: root, overrideConfig: [tseslint.configs.disableTypeChecked] });

async function refusals(filePath: string, imported: string): Promise<string[]> {
  const [result] = await eslint.lintText(`import '${imported}';\n`, { filePath: join(root, filePath) });
  return (result?.messages ?? []).map(({ ruleId, message }) => ruleId ?? message);
}

/** Which other rooms of the api each may import. */
const OPEN: Record<string, string[]> = {
  http: [],
  metadata: [],
  dashboard: ['http'],
  access: ['http', 'monitoring'],
  monitoring: ['http', 'access'],
  packages: ['http', 'access'],
  configurations: ['http', 'access'],
  updates: ['http', 'access', 'packages'],
  live: ['http', 'access', 'monitoring'],
  devices: ['http', 'access', 'monitoring'],
  admin: ['http', 'access', 'monitoring'],
  aggregator: ['http', 'access', 'monitoring', 'live', 'metadata'],
  reporting: ['http', 'access', 'monitoring', 'devices', 'metadata'],
  alerts: ['http', 'access', 'monitoring', 'live', 'devices', 'reporting'],
  status: ['http', 'access', 'devices', 'reporting', 'alerts'],
};
const ROOMS = readdirSync(join(root, 'apps/api/src'), { withFileTypes: true })
  // What puts the program together stands above the rooms.
  .filter((entry) => entry.isDirectory() && entry.name !== 'commands')
  .map(({ name }) => name);

describe('the rooms of the api', () => {
  it('are all known here', () => expect(Object.keys(OPEN).sort()).toEqual(ROOMS.sort()));

  it.each(ROOMS)('%s may not import the others', async (room) => {
    const closed = ROOMS.filter((other) => other !== room && !OPEN[room]?.includes(other));
    for (const [file, up] of [
      [`apps/api/src/${room}/a.ts`, '..'],
      [`apps/api/src/${room}/inner/a.ts`, '../..'],
    ] as const) {
      // One import a line.
      const text = ROOMS.map((other) => `import '${up}/${other}/b.js';\n`).join('');
      const [result] = await eslint.lintText(text, { filePath: join(root, file) });
      const refused = result?.messages.map(({ ruleId, line }) => [ruleId, ROOMS[line - 1]]);
      expect([file, refused]).toEqual([file, closed.map((other) => ['no-restricted-imports', other])]);
    }
  });
});

it('a description of the wire outside of *.dto.ts fails the lint', async () => {
  const text = "import { ApiProperty } from '@device-metrics/contract/openapi';\nvoid ApiProperty;\n";
  const lint = async (filePath: string): Promise<string[]> =>
    (await eslint.lintText(text, { filePath: join(root, filePath) }))[0]?.messages.map(({ ruleId }) => ruleId ?? '') ??
    [];
  expect(await lint('apps/api/src/devices/a.ts')).toEqual(['no-restricted-syntax']);
  expect(await lint('apps/api/src/devices/a.dto.ts')).toEqual([]);
});

it.each([
  ['apps/api/src/aggregator/a.ts', '../reporting/summary.js'],
  ['apps/api/src/devices/a.dto.ts', '../reporting/summary.js'],
  ['apps/collector/src/upload/a.ts', '../pc/cpu.js'],
  ['libs/query/src/a.ts', '@device-metrics/contract'],
  ['libs/storage/src/columnar/a.ts', 'pg'],
])('%s loading %s late fails the lint', async (file, imported) => {
  const [result] = await eslint.lintText(`await import('${imported}');\n`, { filePath: join(root, file) });
  expect(result?.messages.map(({ ruleId }) => ruleId)).toEqual(['no-restricted-syntax']);
});

describe('an import against the arrows of the layout fails the lint:', () => {
  it.each([
    ['libs/domain/src/a.ts', 'node:fs'],
    ['libs/domain/src/a.ts', '@device-metrics/contract'],
    ['libs/contract/src/a.ts', '@device-metrics/storage'],
    ['libs/contract/src/a.ts', 'typeorm'],
    ['libs/storage/src/a.ts', '@device-metrics/contract'],
    ['libs/storage/src/a.ts', '@device-metrics/api'],
    ['apps/api/src/devices/a.dto.ts', '@nestjs/swagger'],
    ['libs/query/src/a.ts', '@nestjs/common'],
    ['libs/query/src/a.ts', '@device-metrics/contract'],
    ['libs/query/src/a.ts', 'better-sqlite3'],
    ['libs/storage/src/a.ts', 'better-sqlite3'],
    ['libs/storage/src/columnar/a.ts', 'better-sqlite3'],
    ['libs/storage/src/columnar/a.ts', 'pg'],
    ['libs/storage/src/columnar/a.ts', 'typeorm'],
    ['libs/storage/src/columnar/a.ts', '../sqlite/journal.js'],
    ['libs/storage/src/columnar/codec/a.ts', '../../postgres/journal.js'],
    ['libs/storage/src/columnar/a.ts', '@device-metrics/sqlite'],
    ['apps/collector/src/upload/a.ts', 'better-sqlite3'],
    ['apps/collector/src/pc/cpu.ts', '@device-metrics/sqlite'],
    ['apps/api/src/http/a.ts', '@device-metrics/sqlite'],
    ['libs/storage/src/a.ts', '@device-metrics/query'],
    ['apps/api/src/http/a.ts', 'typeorm'],
    ['apps/api/src/http/a.ts', 'better-sqlite3'],
    ['apps/api/src/aggregator/a.ts', '../reporting/summary.js'],
    ['apps/api/src/aggregator/json/a.ts', '../../reporting/summary.js'],
    ['apps/api/src/aggregator/json/a.ts', '../influx/parse.js'],
    ['apps/api/src/reporting/a.ts', '../aggregator/accept.js'],
    ['apps/api/src/reporting/a.ts', '@device-metrics/collector'],
    ['apps/api/src/reporting/print/a.ts', '../../live/live-samples.js'],
    ['apps/collector/src/upload/a.ts', '../pc/cpu.js'],
    ['apps/collector/src/upload/a.ts', '../third-party/mqtt/mqtt.js'],
    ['libs/settings/src/a.ts', '@device-metrics/contract'],
    ['libs/settings/src/a.ts', 'yaml'],
    ['apps/api/src/settings.ts', './reporting/time-span.js'],
    ['apps/collector/src/config/settings.ts', '../upload/spool.js'],
    ['apps/dashboard/src/a.tsx', '@device-metrics/contract'],
    ['apps/collector/src/a.ts', '@device-metrics/storage'],
    ['apps/collector/src/upload/a.ts', '@device-metrics/api'],
    ['apps/collector/src/pc/cpu.ts', './memory.js'],
    ['apps/collector/src/pc/cpu.ts', '../third-party/http-json/http-json.js'],
    ['apps/collector/src/third-party/snmp/a.ts', '../mqtt/mqtt.js'],
    ['apps/collector/src/third-party/snmp/a.ts', '../../pc/cpu.js'],
    ['apps/collector/src/third-party/snmp/a.ts', 'better-sqlite3'],
    ['apps/collector/src/third-party/snmp/a.ts', '../../upload/spool.js'],
    ['apps/collector/src/third-party/a.ts', '../run/run-source.js'],
    ['apps/collector/src/pc/cpu.ts', '../config/config.js'],
    ['apps/collector/src/upload/spool.ts', '../run/collector.js'],
    ['apps/collector/src/run/collector.ts', '../pc/machine.js'],
    ['apps/collector/src/run/collector.ts', 'better-sqlite3'],
    ['apps/collector/src/config/config.ts', '../upload/spool.js'],
    ['libs/formats/src/prometheus/a.ts', 'node:fs'],
    ['libs/formats/src/prometheus/a.ts', '@device-metrics/contract'],
  ])('%s importing %s', async (file, imported) => {
    expect(await refusals(file, imported)).toEqual(['no-restricted-imports']);
  });

  it.each([
    ['libs/domain/src/a.ts', './sample.js'],
    ['libs/contract/src/a.ts', '@device-metrics/domain'],
    ['libs/settings/src/a.ts', '@device-metrics/domain'],
    ['apps/api/src/settings.ts', '@device-metrics/settings'],
    ['libs/storage/src/a.ts', '@device-metrics/sqlite'],
    ['libs/query/src/a.ts', '@device-metrics/storage'],
    ['apps/api/src/reporting/a.ts', '@device-metrics/query'],
    ['apps/api/src/reporting/a.ts', '@device-metrics/storage'],
    ['apps/api/src/aggregator/json/a.ts', '../accept.js'],
    ['apps/api/src/sample-store.module.ts', '@nestjs/typeorm'],
    ['apps/collector/src/upload/spool.ts', '@device-metrics/sqlite'],
    ['apps/collector/src/third-party/snmp/a.ts', '../../run/source.js'],
    ['apps/collector/src/third-party/snmp/a.ts', '../../config/section.js'],
    ['libs/formats/src/prometheus/a.ts', '@device-metrics/domain'],
    ['apps/collector/src/third-party/snmp/a.ts', './walk.js'],
    ['apps/collector/src/pc/cpu.ts', '../run/source.js'],
    ['apps/collector/src/upload/api-client.ts', '@device-metrics/contract/batch-decoder'],
  ])('but not %s importing %s', async (file, imported) => {
    expect(await refusals(file, imported)).toEqual([]);
  });
});

it('no file needs itself through others, not even for a type', () => {
  const files = new Set(
    execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'apps', 'libs', 'tools'], {
      cwd: root,
      encoding: 'utf8',
    })
      .split('\n')
      .filter((file) => /\.tsx?$/.test(file)),
  );
  const imports = new Map<string, string[]>();
  for (const file of files) {
    const found = readFileSync(join(root, file), 'utf8').matchAll(/^(?:import|export|\}) [^;]*?'(\.[^']+)';/gm);
    const paths = [...found].map(([, path]) => posix.join(posix.dirname(file), path ?? ''));
    imports.set(
      file,
      paths.flatMap((path) =>
        ['.ts', '.tsx'].map((end) => path.replace(/(\.jsx?)?$/, end)).filter((one) => files.has(one)),
      ),
    );
  }
  const done = new Set<string>();
  const circles: string[] = [];
  const walk = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) circles.push([...way.slice(way.indexOf(file)), file].join(' -> '));
    if (done.has(file)) return;
    done.add(file);
    for (const next of imports.get(file) ?? []) walk(next, [...way, file]);
  };
  for (const file of files) walk(file, []);
  expect(circles).toEqual([]);
  expect([...imports.values()].flat().length).toBeGreaterThan(files.size);
});
