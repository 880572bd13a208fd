import { describe, expect, it } from '@jest/globals';
import { digestAuthorization } from './digest.js';

const mufasa = { username: 'Mufasa', password: 'Circle of Life' };
const OF_RFC_7616 = (algorithm: string): string =>
  `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, ` +
  'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
const cnonce = 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ';
const answer = (challenge: string): string | undefined =>
  digestAuthorization(challenge, '/dir/index.html', mufasa, cnonce);

describe('digest authentication', () => {
  it('answers as the examples of RFC 7616 and RFC 2069 do, the best of what is offered', () => {
    const [sha256, md5] = [OF_RFC_7616('SHA-256'), OF_RFC_7616('MD5')];
    for (const both of [
      sha256,
      `${md5}, ${sha256}`,
      `Basic realm="a, Digest", ${sha256}, ${md5}`,
      `${sha256}, Basic realm="b"`,
    ]) {
      expect(answer(both)).toBe(
        'Digest username="Mufasa", realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", ' +
          'uri="/dir/index.html", response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", ' +
          'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", ' +
          `cnonce="${cnonce}", algorithm=SHA-256, qop=auth, nc=00000001`,
      );
    }
    expect(answer(md5)).toContain('response="8ca523f5e9506fed4657c9700eebdbec"');
    const old = digestAuthorization(
      'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"',
      '/dir/index.html',
      { username: 'Mufasa', password: 'CircleOfLife' },
    );
    // RFC 2069 as its erratum has it.
    expect(old).toMatch(/response="1949323746fe6a43ef61f9606e7febea"$/);
  });

  it('answers nothing else', () => {
    for (const other of [
      '',
      'Basic realm="digest"',
      'Digest qop="auth"',
      'Digest nonce="1", qop="auth-int"',
      'Digest nonce="1", algorithm=SHA-512-256',
    ]) {
      expect([other, answer(other)]).toEqual([other, undefined]);
    }
  });
});
