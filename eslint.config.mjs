import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/** What the files of a folder may not import: keeps the arrows of the layout pointing one way. */
const forbids = (files, ...patterns) => ({
  files: files.map((folder) => `${folder}/**/*.ts`),
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});
const group = (names, message) => ({ group: names, message });

const noTypeorm = group(
  ['typeorm', '@nestjs/typeorm'],
  'TypeORM appears only in libs/storage and where the api composes it.',
);
const noSql = group(['better-sqlite3'], 'Only libs/storage and the spool of the collector speak to SQLite.');
const noApps = group(['@device-metrics/api', '@device-metrics/collector', '**/apps/*'], 'Nothing imports an app.');

export default tseslint.config(
  { ignores: ['**/dist/', '**/instance/', '.nx/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly' } },
  },
  forbids(['libs/domain/src'], {
    regex: '^(?!\\.|fast-check$|@jest/globals$)',
    message: 'The domain imports nothing.',
  }),
  forbids(
    ['libs/contract/src'],
    group(['@device-metrics/*', '!@device-metrics/domain'], 'The contract knows the domain, nothing else.'),
    noApps,
    noTypeorm,
    noSql,
  ),
  forbids(
    ['libs/storage/src'],
    group(['@device-metrics/*', '!@device-metrics/domain'], 'Storage knows the domain, nothing else.'),
    noApps,
  ),
  forbids(
    ['apps/api/src'],
    group(['@device-metrics/collector'], 'The apps meet in the wire format only.'),
    group(['typeorm', 'better-sqlite3'], 'TypeORM appears only in libs/storage and where the api composes it.'),
  ),
  forbids(
    ['apps/api/src/aggregator'],
    group(['**/reporting/**', '**/devices/**'], 'Aggregator and reporting meet only in storage.'),
    noTypeorm,
    noSql,
  ),
  forbids(
    ['apps/api/src/reporting'],
    group(['**/aggregator/**'], 'Aggregator and reporting meet only in storage.'),
    noTypeorm,
    noSql,
  ),
  forbids(
    ['apps/collector/src'],
    group(['@device-metrics/api', '@device-metrics/storage'], 'The apps meet in the wire format only.'),
    noTypeorm,
  ),
  forbids(
    ['apps/collector/src/pc', 'apps/collector/src/third-party/*'],
    group(['@device-metrics/api', '@device-metrics/storage'], 'The apps meet in the wire format only.'),
    group(['../*/*', '!../../*'], 'No source and no protocol imports another.'),
    noTypeorm,
    noSql,
  ),
);
