import { describe, expect, it } from '@jest/globals';
import { loadDriver, packageFor, sqliteDriver, SqliteUnavailableError } from './driver.js';

describe('the driver', () => {
  it.each([
    ['20.19.0', 'better-sqlite3-12'],
    ['20.20.2', 'better-sqlite3-12'],
    ['22.13.0', 'better-sqlite3-13'],
    ['24.21.0', 'better-sqlite3-13'],
    ['26.10.0', 'better-sqlite3-13'],
    ['100.0.0', 'better-sqlite3-13'],
  ])('of Node %s is %s', (nodeVersion, name) => {
    expect(packageFor(nodeVersion)).toBe(name);
  });

  it('opens databases on the Node that runs this', () => {
    const db = new (sqliteDriver())(':memory:');
    expect(db.prepare('SELECT 1 + 1').pluck().get()).toBe(2);
    db.close();
  });

  it.each([
    [
      'a package that is not installed',
      "Cannot find module 'x'\nRequire stack:\n- here",
      /Cannot find module 'x'\. Run/,
    ],
    ['a binary of another Node', 'was compiled against NODE_MODULE_VERSION 115', /NODE_MODULE_VERSION 115/],
  ])('says for %s what to do', (_, reason, expected) => {
    const load = (): never => {
      throw new Error(reason);
    };
    const loading = (nodeVersion: string) => () => loadDriver(load, nodeVersion);
    expect(loading('24.21.0')).toThrow(SqliteUnavailableError);
    expect(loading('24.21.0')).toThrow(expected);
    expect(loading('24.21.0')).toThrow(
      /^SQLite cannot be loaded on Node 24\.21\.0 \(\w+ \w+\).*Run "npm ci".*x64 and arm64/,
    );
    expect(loading('20.19.0')).toThrow(
      /On Node 20 it may have to be compiled, which takes a C\+\+ compiler, make and Python/,
    );
  });
});
