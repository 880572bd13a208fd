import { availableParallelism } from 'node:os';

/** One configuration for the whole workspace; `npm test` builds first, because the end-to-end tests start the built apps. */
export default {
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/tools', '<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  globalSetup: '<rootDir>/tools/provide-sqlite.mjs',
  testSequencer: '<rootDir>/tools/longest-first.mjs',
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  // `js` comes first, so that `./x.js` of a package is never taken for a TypeScript file that it ships beside it.
  moduleFileExtensions: ['js', 'mjs', 'cjs', 'ts', 'json', 'node'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/.nx/'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        module: { type: 'es6' },
        sourceMaps: 'inline',
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
      },
    ],
  },
  // Only what hangs is ended by it: where others keep the machine busy, anything takes twenty times as long.
  testTimeout: 300_000,
  // Many tests wait for processes and for times: with as many workers as cores, or two for each, cores would wait too.
  maxWorkers: 3 * availableParallelism(),
};
