import { expect, it } from '@jest/globals';
import { webAddressMistake } from './web-address.js';

it.each([
  ['https://chat.example.org/hook', undefined],
  ['http://127.0.0.1:8080/hook?key=1', undefined],
  ['https://user:pass@chat.example.org:443', undefined],
  ['https://user:100%25@chat.example.org', undefined],
  ['https://user:100%@chat.example.org', 'must have a user and a password whose % are written %25'],
  ['chat.example.org', 'must begin with http:// or https://, got "chat.example.org"'],
  ['http://h:99999', 'must be an address such as https://chat.example.org:8443/hook, got "http://h:99999"'],
  [
    'https://chat.example.org:4190/hook',
    'must have a port that web requests may go to, such as 443, 8080 or any above 10080, got port 4190, which is kept for another service',
  ],
])('%s: %s', (text, mistake) => {
  expect(webAddressMistake(text)).toBe(mistake);
});

it('a secret address is not told', () => {
  for (const text of ['tunnel:hush', 'http://hush:99999', 'http://h:25/hush']) {
    expect(webAddressMistake(text, true)).not.toContain('hush');
  }
});

it('refuses the ports that fetch refuses, and no others', async () => {
  const reached = new Error('reached');
  const dispatcher = {
    dispatch: () => {
      throw reached;
    },
  } as unknown as NonNullable<RequestInit['dispatcher']>;
  const differing: number[] = [];
  const last = process.env['DEVICE_METRICS_LONG'] ? 65_535 : 1_100;
  for (let port = 1; port <= last; port += 1) {
    const url = `http://127.0.0.1:${port}/`;
    const { cause } = (await fetch(url, { dispatcher }).catch((error: unknown) => error)) as Error;
    if ((webAddressMistake(url) === undefined) !== (cause === reached)) differing.push(port);
  }
  expect(differing).toEqual([]);
});
