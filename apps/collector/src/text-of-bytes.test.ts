import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { charsetOf, textOfBytes } from './text-of-bytes.js';

const isWhole = (text: string): boolean => !text.startsWith('\ufeff') && !text.includes('\0');

it('gives every text of UTF-8 as it is, and keeps texts of any other bytes apart', () => {
  fc.assert(
    fc.property(
      fc
        .string({ unit: 'binary-ascii' })
        .chain((text) => fc.string().map((other) => `${text}ä🌡${other}`))
        .filter(isWhole),
      (text) => {
        for (const mark of ['', '\ufeff']) expect(textOfBytes(Buffer.from(`${mark}${text}\0`))).toBe(text);
      },
    ),
  );
  const letters = fc.string({ unit: fc.integer({ min: 0xa0, max: 0xff }).map((code) => String.fromCharCode(code)) });
  fc.assert(
    fc.property(letters, letters, (one, other) => {
      // With a byte that stands in no UTF-8: what is UTF-8 by chance is taken for it.
      const texts = [one, other].map((text) => textOfBytes(Buffer.from(`\xfc${text}`, 'latin1')));
      expect(texts).toEqual([`\xfc${one}`, `\xfc${other}`]);
    }),
  );
});

it('gives each line that is UTF-8 as it is, whatever the others are', () => {
  const bytes = Buffer.concat([Buffer.from('Köln\n'), Buffer.from('K\xfcln\r\n', 'latin1'), Buffer.from('Käln')]);
  expect(textOfBytes(bytes)).toBe('Köln\nKüln\r\nKäln');
});

it.each([
  ['text/plain; charset=ISO-8859-1', 'ISO-8859-1'],
  ['application/json;charset="utf-16le"; q=1', 'utf-16le'],
  ['text/plain', undefined],
  [undefined, undefined],
])('the charset of %j is %j', (type, charset) => expect(charsetOf(type)).toBe(charset));
