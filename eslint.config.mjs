import eslint from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

/** What the files of a folder may not import, tests aside: keeps the arrows of the layout pointing one way. */
const forbids = (folder, ...patterns) => ({
  files: [`${folder}/**/*.{ts,tsx}`],
  ignores: ['**/*.test.ts'],
  rules: { 'no-restricted-imports': ['error', { patterns }] },
});
const pattern = (regex, message) => ({ regex, message });

const typeorm = pattern(
  '^(typeorm|@nestjs/typeorm)$',
  'TypeORM appears only in libs/storage and where the api composes it.',
);
const sqlite = pattern('^better-sqlite3', 'Only libs/storage and the spool of the collector speak to SQLite.');
const sqliteTypes = {
  ...pattern(
    '^better-sqlite3',
    'Only types come from better-sqlite3: libs/sqlite loads what fits the version of Node.',
  ),
  allowTypeImports: true,
};
/** Of the workspace, only `names` may be imported. */
const onlyWorkspace = (...names) =>
  pattern(
    `^@device-metrics/(?!(${names.join('|')})(/|$))`,
    `Of the workspace, only ${names.join(', ')} may be imported here.`,
  );
const onlyApi = (name) => ({ name, message: 'Only apps/dashboard/src/api.ts talks to the api.' });
const swagger = {
  ...pattern(
    '^@nestjs/swagger$',
    'Its decorators come from @device-metrics/contract/openapi, which loads it when somebody asks for the description.',
  ),
  allowTypeImports: true,
};
const ofApi = [
  onlyWorkspace('domain', 'contract', 'formats', 'settings', 'storage', 'query'),
  typeorm,
  sqlite,
  swagger,
];

/** The rule of imports does not see `import()`, so what it is about is never loaded late. */
const lateImport = {
  selector:
    'ImportExpression > Literal[value=/^(\\.|@device-metrics\\/|typeorm$|@nestjs\\/typeorm$|better-sqlite3|pg$)/]',
  message:
    'Only main.ts and api.ts load parts of the program late: elsewhere the arrows of the layout are seen by `import`.',
};

/** The rooms of the api, and which others each may import. */
const ROOMS = {
  http: [],
  access: ['http', 'monitoring'],
  monitoring: ['http', 'access'],
  live: ['http', 'access', 'monitoring'],
  devices: ['http', 'access', 'monitoring'],
  dashboard: ['http'],
  metadata: [],
  packages: ['http', 'access'],
  updates: ['http', 'access', 'packages'],
  configurations: ['http', 'access'],
  admin: ['http', 'access', 'monitoring'],
  aggregator: ['http', 'access', 'monitoring', 'live', 'metadata'],
  reporting: ['http', 'access', 'monitoring', 'devices', 'metadata'],
  alerts: ['http', 'access', 'monitoring', 'live', 'devices', 'reporting'],
  status: ['http', 'access', 'devices', 'reporting', 'alerts'],
};
const otherRooms = (room, mayImport) => {
  const others = Object.keys(ROOMS).filter((other) => other !== room && !mayImport.includes(other));
  return pattern(
    `\\.\\./(${others.join('|')})/`,
    `Of the other rooms, ${room} may import ${mayImport.join(', ') || 'none'}.`,
  );
};
const ofCollector = [onlyWorkspace('domain', 'contract', 'settings', 'formats'), typeorm, sqlite];
const noRoom = (rooms, message) => pattern(`^(\\.\\.?/)+(${rooms})(/|$)`, message);
/** What sources may know of the collector: how a source is asked, how its keys are read, and requests over HTTP. */
const onlySourceContract = pattern(
  '^(\\.\\./)+((commands|upload)/|run/(?!source\\.js$)|config/(?!(section|redact)\\.js$))',
  'Of the collector a source knows run/source, config/section, config/redact and http.',
);

/** The settings of an app are read before anything else of it. */
const noAppIn = (file, ofApp) => ({
  files: [file],
  rules: {
    'no-restricted-imports': [
      'error',
      { patterns: [...ofApp, pattern('^\\.', 'Settings import nothing of their app.')] },
    ],
  },
});

export default tseslint.config(
  { ignores: ['**/dist/', '**/instance/', '.nx/', 'apps/dashboard/src/generated/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      // An implementation of an asynchronous interface need not wait for anything.
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['apps/api/src/**/*.ts', 'apps/collector/src/**/*.ts', 'libs/*/src/**/*.ts'],
    ignores: ['apps/*/src/main.ts', 'apps/api/src/api.ts', '**/*.test.ts', '**/testing/**'],
    rules: { 'no-restricted-syntax': ['error', lateImport] },
  },
  {
    files: ['apps/api/src/**/*.ts', 'libs/*/src/**/*.ts'],
    ignores: ['apps/*/src/main.ts', 'apps/api/src/api.ts', '**/*.dto.ts', '**/*.test.ts', '**/testing/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        lateImport,
        {
          selector: 'ImportSpecifier[imported.name=/^ApiProperty(Optional)?$/]',
          message: 'What goes over the wire is described in a file *.dto.ts.',
        },
        {
          selector:
            'CallExpression:matches([callee.object.name="Math"], [callee.property.name=/^(push|unshift|fromCharCode)$/]) > SpreadElement',
          message: 'Arguments must fit the stack, which data may not: use reduce, or a loop.',
        },
      ],
    },
  },
  {
    // Tests reach into answers of every shape.
    files: ['apps/*/test/**/*.ts', 'test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        performance: 'readonly',
        fetch: 'readonly',
      },
    },
  },
  forbids('libs/domain/src', pattern('^[^.]', 'The domain imports nothing.')),
  forbids('libs/contract/src', onlyWorkspace('domain'), typeorm, sqlite),
  forbids(
    'libs/formats/src',
    pattern('^(?!\\.\\.?/|@device-metrics/domain$)', 'Parsers are pure: they know the domain and nothing else.'),
  ),
  forbids(
    'libs/settings/src',
    pattern('^(?!node:|\\.\\.?/|@device-metrics/domain$)', 'Settings know the domain and nothing else.'),
  ),
  forbids('libs/storage/src', onlyWorkspace('domain', 'sqlite'), sqliteTypes),
  forbids(
    'libs/storage/src/columnar',
    onlyWorkspace('domain'),
    pattern('^(better-sqlite3|pg|typeorm)', 'What is columnar knows no SQL.'),
    pattern('/(sqlite|postgres|access|alerts)/', 'What is columnar knows no SQL.'),
  ),
  forbids(
    'libs/query/src',
    onlyWorkspace('domain', 'storage'),
    typeorm,
    sqlite,
    pattern('^@nestjs/', 'The query library knows no Nest: alerts stand on it too.'),
  ),
  // Of two entries that match a file, the later one counts.
  forbids('apps/api/src', ...ofApi),
  ...Object.entries(ROOMS).map(([room, mayImport]) =>
    forbids(`apps/api/src/${room}`, ...ofApi, otherRooms(room, mayImport)),
  ),
  forbids(
    'apps/api/src/aggregator/*',
    ...ofApi,
    otherRooms('aggregator', ROOMS.aggregator),
    pattern('^\\.\\./[^./]+/', 'No protocol imports another.'),
  ),
  noAppIn('apps/api/src/settings.ts', ofApi),
  {
    files: ['apps/api/src/sample-store.module.ts', 'apps/api/src/commands/commands.ts'],
    rules: { 'no-restricted-imports': 'off' },
  },
  {
    files: ['apps/dashboard/src/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': reactHooks },
    rules: { 'react-hooks/rules-of-hooks': 'error', 'react-hooks/exhaustive-deps': 'error' },
  },
  {
    files: ['apps/dashboard/src/**/*.{ts,tsx}'],
    ignores: ['apps/dashboard/src/api.ts'],
    rules: { 'no-restricted-globals': ['error', ...['fetch', 'EventSource'].map(onlyApi)] },
  },
  forbids('apps/dashboard/src', onlyWorkspace('domain')),
  forbids('apps/collector/src', ...ofCollector),
  forbids(
    'apps/collector/src/config',
    ...ofCollector,
    noRoom('commands|upload|run/(?!source)', 'The configuration knows what sources there are, not how they are run.'),
  ),
  forbids(
    'apps/collector/src/run',
    ...ofCollector,
    noRoom('commands|pc|third-party', 'The runner knows sources by run/source alone.'),
  ),
  forbids(
    'apps/collector/src/upload',
    onlyWorkspace('domain', 'contract', 'settings', 'sqlite'),
    typeorm,
    sqliteTypes,
    noRoom('commands|run|pc|third-party', 'The queue knows samples, not where they come from.'),
  ),
  noAppIn('apps/collector/src/config/settings.ts', ofCollector),
  {
    // One way to say settings: declared in settings.ts, read by libs/settings.
    files: ['apps/*/src/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Declare a setting in settings.ts and read it by libs/settings.',
        },
      ],
    },
  },
  forbids(
    'apps/collector/src/pc',
    ...ofCollector,
    onlySourceContract,
    pattern(
      '^\\./(?!(group|machine)\\.js$|linux/)|third-party/',
      'No source imports another; what they share is the group, the machine and what Linux tells.',
    ),
  ),
  { files: ['apps/collector/src/pc/groups.ts'], rules: { 'no-restricted-imports': 'off' } },
  forbids(
    'apps/collector/src/third-party',
    ...ofCollector,
    onlySourceContract,
    noRoom('pc', 'No source imports another.'),
  ),
  forbids(
    'apps/collector/src/third-party/*',
    ...ofCollector,
    onlySourceContract,
    pattern('^\\.\\./[^./]+/|/pc/', 'No protocol imports another; what several share stands beside their folders.'),
  ),
);
