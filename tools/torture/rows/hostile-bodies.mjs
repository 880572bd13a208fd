import { gzipSync } from 'node:zlib';
import { assert, BATCH, client, get, head, MB, post, sleep, startApi, watching } from '../kit.mjs';

export const name = 'Deep JSON, gzip bombs and lies about length';
export const measures = true;

export async function run({ file, short }) {
  const api = await startApi(file('metrics.db'));
  const bomb = gzipSync(Buffer.alloc((short ? 100 : 1_000) * MB, 32));
  const statuses = {};
  const count = (what, status) => (statuses[`${what} ${status}`] = (statuses[`${what} ${status}`] ?? 0) + 1);
  const seen = await watching(api, async () => {
    for (let turn = 0; turn < (short ? 2 : 10); turn += 1) {
      count('deep', (await post(api.url, '['.repeat(8 * MB - 1))).status);
      count('deep', (await post(api.url, '{"a":'.repeat(1.6 * MB))).status);
      count('wide', (await post(api.url, `[${'[],'.repeat(2.6 * MB)}[]]`)).status);
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
      const answer = await fetch(api.url + BATCH, { method: 'POST', headers, body: bomb }).catch(() => ({
        status: 'closed',
      }));
      count('bomb', answer.status);
    }
    const lies = [
      client(api.port, head(10), '{}', 'POST / HTTP/1.1\r\n\r\n'),
      client(api.port, head('-1')),
      client(api.port, head('1e9')),
      client(api.port, head(5, 'Transfer-Encoding: chunked\r\n'), '5\r\n{"a":\r\n0\r\n\r\n'),
      client(api.port, 'GET / HTTP/1.1\r\nHost: localhost\r\n', `X: ${'a'.repeat(100_000)}\r\n\r\n`),
    ];
    await sleep(500);
    for (const { seen: one } of lies)
      for (const [, status] of one.text.matchAll(/HTTP\/1\.1 (\d)/g)) count('lie', `${status}xx`);
    for (const { socket } of lies) socket.destroy();
  });
  assert.equal((await get(api.url, '/healthz')).status, 200);
  await api.stop();
  for (const what of Object.keys(statuses)) assert.doesNotMatch(what, / (2\d\d|500|2xx)$/, JSON.stringify(statuses));
  assert(seen.memory < 500, `the api held ${seen.memory} MB`);
  assert(seen.worst < 1_500, `others waited ${seen.worst} ms`);
  return `${Object.entries(statuses)
    .map(([what, times]) => `${what} ×${times}`)
    .join(', ')}; ${seen.memory} MB, others p99 ${seen.p99} ms, worst ${seen.worst} ms`;
}
