import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, expect, it } from '@jest/globals';
import { CollectorProcess, TestApi, TestFolder, TestServer, timeOf, until } from '../harness.js';
import { flood, TcpPeer } from './device.js';

const folder = new TestFolder();
/** Also after a failure: what still runs would keep the tests from ending. */
const stops: (() => unknown)[] = [];
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
  folder.remove();
});

const SECRETS = [
  'c0mmun1ty',
  'mqtt-pa55word',
  'nut-pa55word',
  't0ken-t0ken',
  'url-pa55word',
  'env-s3cret',
  'api-pa55word',
];

it('devices of every protocol that hang or flood delay no other, and no secret of theirs is said', async () => {
  const api = await new TestApi().start();
  stops.push(() => api.stop());
  const good = await new TestServer((_request, response) => void response.end('up 1\n')).start();
  const hung = await new TcpPeer(() => undefined).start();
  const flooding = await new TcpPeer((socket) => flood(socket, 100e6)).start();
  const silent = createSocket('udp4').bind(0, '127.0.0.1');
  await once(silent, 'listening');
  stops.push(
    () => Promise.all([good.stop(), hung.stop(), flooding.stop()]),
    () => silent.close(),
  );
  const host = '127.0.0.1';
  const http = `127.0.0.1:${hung.port}`;
  const entries = [
    { protocol: 'prometheus', device: 'good', url: `${good.url}/metrics`, interval: '200ms', timeout: '5s' },
    { protocol: 'http-json', device: 'h1', url: `http://u:url-pa55word@${http}/`, mapping: '$' },
    { protocol: 'prometheus', device: 'h2', url: `http://${http}/`, token: 't0ken-t0ken' },
    { protocol: 'snmp', device: 'h3', host, port: silent.address().port, community: 'c0mmun1ty' },
    { protocol: 'mqtt', device: 'h4', url: `mqtt://${http}`, topic: 'a', username: 'u', password: 'mqtt-pa55word' },
    { protocol: 'modbus', device: 'h5', host, port: hung.port, registers: [{ address: 0, metric: 'm' }] },
    { protocol: 'nut', device: 'h6', host, port: hung.port, username: 'u', password: 'nut-pa55word' },
    { protocol: 'command', device: 'h7', command: ['sleep', '60'], environment: { S: 'env-s3cret' } },
    ...[
      { protocol: 'http-json', device: 'f1', url: `http://127.0.0.1:${flooding.port}/`, mapping: '$' },
      { protocol: 'modbus', device: 'f2', host, port: flooding.port, registers: [{ address: 0, metric: 'm' }] },
      { protocol: 'nut', device: 'f3', host, port: flooding.port },
      { protocol: 'command', device: 'f4', command: ['yes'] },
    ].map((entry) => ({ ...entry, interval: '1h', timeout: '5s' })),
  ].map((entry) => ({ interval: '1s', timeout: '500ms', ...entry }));
  const file = folder.write('collector.yaml', JSON.stringify({ pc: false, third_party: entries }));
  const collector = new CollectorProcess(folder, { API_URL: api.url, COLLECTOR_CONFIG: file });
  stops.push(() => collector.stop('SIGKILL'));
  const check = new CollectorProcess(folder, { API_URL: 'http://u:api-pa55word@h', COLLECTOR_CONFIG: file }, 'check');

  for (const name of ['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'h7']) {
    await collector.says(`${name} fails: no answer within 500 ms`);
  }
  for (const name of ['f1', 'f2', 'f3', 'f4']) await collector.says(`${name} fails: `);
  await until(() => api.valuesOf('up', 'good').length >= 5);
  const success = api.samples.filter(({ metric_name }) => metric_name === 'collector.source.success');
  expect(success.filter(({ labels, value }) => labels?.['source'] === 'good' && value !== 1)).toEqual([]);
  expect(success.filter(({ labels, value }) => labels?.['source']?.match(/^[hf]\d/) && value !== 0)).toEqual([]);

  // It waits up to 5 s for what is under way.
  expect(await timeOf(() => collector.stop())).toBeLessThan(20_000);
  expect(await check.ended).toBe(0);
  const told = collector.output + check.output + JSON.stringify(api.samples);
  for (const secret of SECRETS) expect(told).not.toContain(secret);
});
