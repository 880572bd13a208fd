import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fileName } from './file-name.js';

describe('the file name of a device', () => {
  it.each(['lab-pc-1', 'rack.ups_2', 'a'])('is that of the device where it is plain: %s', (name) => {
    expect(fileName(name)).toBe(`${name}.html`);
  });

  it.each([
    ['../../etc/passwd', /^_etc_passwd~[0-9a-f]{16}\.html$/],
    ['..', /^_~[0-9a-f]{16}\.html$/],
    ['a\\b/c', /^a_b_c~/],
    ['Küche', /^Kuche~/],
    ['機器', /^_~/],
    ['index', /^index~/],
    ['con', /^con~/],
    ['nul.txt', /^nul_txt~/],
    ['trailing.', /^trailing_~/],
    ['.hidden', /^_hidden~/],
    ['x'.repeat(128), /^x{48}~/],
  ])('is safe: %s', (name, expected) => {
    expect(fileName(name)).toMatch(expected);
  });

  it('is one of its own, also where the case of letters does not count', () => {
    const names = ['PC', 'pc', 'Pc', 'a/b', 'a\\b', 'a b', 'é', 'e\u0301', 'e', 'index', 'Index'];
    expect(new Set(names.map((name) => fileName(name).toLowerCase())).size).toBe(names.length);
  });

  it('is one plain part of a path, whatever the device is called', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 128 }), (name) => {
        expect(fileName(name)).toMatch(/^(?!\.)[A-Za-z0-9._~-]{1,80}\.html$/);
      }),
    );
  });
});
