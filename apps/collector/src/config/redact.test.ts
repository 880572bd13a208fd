import { describe, expect, it } from '@jest/globals';
import { Redactor } from './redact.js';

function redactor(...secrets: string[]): Redactor {
  const all = new Redactor();
  for (const secret of secrets) all.add(secret);
  return all;
}

describe('the redactor', () => {
  it('takes out secrets wherever they are, in every form', () => {
    const { redact } = { redact: (text: string) => redactor('pa"ss/word', 'key').redact(text) };
    expect(redact('pa"ss/word and pa%22ss%2Fword and {"p":"pa\\"ss/word"}')).toBe('*** and *** and {"p":"***"}');
    expect(redact('keykey monkey')).toBe('****** mon***');
  });

  it('takes out a secret that is part of another', () => {
    expect(redactor('abc', 'abcdef').redact('abcdef abc abcd')).toBe('*** *** ***d');
  });

  it('takes out what is left of a secret that was cut off', () => {
    expect(redactor('0123456789abcdef').redact('"Bearer 0123456789ab…" 01234567 0123456')).toBe(
      '"Bearer ***…" *** 0123456',
    );
  });

  it('leaves no tail of a secret whose forms begin alike', () => {
    expect(
      redactor('abcdefgh/secret=').redact('abcdefgh/secret= abcdefgh%2Fsecret%3D abcdefgh/sec… abcdefgh%2Fsec…'),
    ).toBe('*** *** ***… ***…');
  });

  it('takes out the user and password of a URL', () => {
    expect(redactor().redact('get http://root:secret@ups:80/x?a=b@c and mqtts://u@h')).toBe(
      'get http://***@ups:80/x?a=b@c and mqtts://***@h',
    );
    expect(redactor().redact('"http://root:se@cr@et@ups:80/x@y" or http://root:sec/r@et@ups')).toBe(
      '"http://***@ups:80/x@y" or http://***@ups',
    );
    expect(redactor().redact('http://ups:80/x@y http://[::1]:80/x@y http://ups/x:z@y')).toBe(
      'http://ups:80/x@y http://[::1]:80/x@y http://ups/x:z@y',
    );
  });
});
