import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, expect, it } from '@jest/globals';
import { CollectorProcess, TestApi, TestFolder, TestServer, until } from '../harness.js';
import { TcpPeer } from './device.js';

const folder = new TestFolder();
afterAll(() => folder.remove());

const SECRETS = ['c0mmun1ty', 'mqtt-pa55word', 'nut-pa55word', 't0ken-t0ken', 'url-pa55word', 'env-s3cret'];

it('devices of every protocol that hang delay no other, and no secret of theirs is said', async () => {
  const api = await new TestApi().start();
  const good = await new TestServer((_request, response) => void response.end('up 1\n')).start();
  const hung = await new TcpPeer(() => undefined).start();
  const silent = createSocket('udp4').bind(0, '127.0.0.1');
  await once(silent, 'listening');
  const host = '127.0.0.1';
  const http = `127.0.0.1:${hung.port}`;
  const entries = [
    { protocol: 'prometheus', device: 'good', url: `${good.url}/metrics`, interval: '200ms', timeout: '200ms' },
    { protocol: 'http-json', device: 'h1', url: `http://u:url-pa55word@${http}/`, mapping: '$' },
    { protocol: 'prometheus', device: 'h2', url: `http://${http}/`, token: 't0ken-t0ken' },
    { protocol: 'snmp', device: 'h3', host, port: silent.address().port, community: 'c0mmun1ty' },
    { protocol: 'mqtt', device: 'h4', url: `mqtt://${http}`, topic: 'a', username: 'u', password: 'mqtt-pa55word' },
    { protocol: 'modbus', device: 'h5', host, port: hung.port, registers: [{ address: 0, metric: 'm' }] },
    { protocol: 'nut', device: 'h6', host, port: hung.port, username: 'u', password: 'nut-pa55word' },
    { protocol: 'command', device: 'h7', command: ['sleep', '60'], environment: { S: 'env-s3cret' } },
  ].map((entry) => ({ interval: '1s', timeout: '500ms', ...entry }));
  const file = folder.write('collector.yaml', JSON.stringify({ pc: false, third_party: entries }));
  const collector = new CollectorProcess(folder, { API_URL: api.url, COLLECTOR_CONFIG: file });

  for (const name of ['h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'h7']) {
    await collector.says(`${name} fails: no answer within 500 ms`);
  }
  await until(() => api.valuesOf('up', 'good').length >= 5);
  const success = api.samples.filter(({ metric_name }) => metric_name === 'collector.source.success');
  expect(success.filter(({ labels, value }) => labels?.['source'] === 'good' && value !== 1)).toEqual([]);
  expect(success.filter(({ labels, value }) => labels?.['source']?.startsWith('h') && value !== 0)).toEqual([]);

  const start = Date.now();
  await collector.stop();
  expect(Date.now() - start).toBeLessThan(6_000);
  const told = collector.output + JSON.stringify(api.samples);
  for (const secret of SECRETS) expect(told).not.toContain(secret);

  silent.close();
  await Promise.all([api.stop(), good.stop(), hung.stop()]);
});
