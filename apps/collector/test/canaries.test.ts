import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { answer, until, World } from './harness.js';

it(
  'no secret is in what the collector prints, stores, sends and answers',
  World.test(async (world) => {
    const planted = new Map<string, string>();
    const plant = (what: string): string => {
      const secret = `canary-${randomBytes(12).toString('hex')}`;
      planted.set(what, secret);
      return secret;
    };
    // Says what it was shown to whoever asks: in an error, and as the value of a metric.
    const echo = await world.serve((request, response) => {
      const shown = JSON.stringify([request.url, request.headers]);
      if (request.url?.startsWith('/value')) return answer(response, 200, { shown, number: 1 });
      response.writeHead(500).end(`Who are you? ${shown}`);
    });
    world.api.instead = (metrics, response) => {
      if (!metrics.some(({ metric_name }) => metric_name === 'refused')) return false;
      const rejected = metrics.map((_, index) => ({ index, field: 'value', reason: 'is not liked' }));
      answer(response, 200, { accepted: 0, rejected });
      return true;
    };
    const { port } = new URL(echo.url);
    const environment = {
      API_TOKEN: plant('token'),
      HEADER: plant('header by the environment'),
      COMMUNITY: plant('community'),
      MQTT: plant('password of MQTT'),
      AUTH: plant('password of SNMPv3'),
      PRIV: plant('key of SNMPv3'),
      NUT: plant('password of NUT'),
      TOKEN: plant('token of a device'),
      COLLECTOR_METRICS_PORT: '0',
    };
    const mapping = `mapping: '{"metric_name": "refused", "value": number, "labels": {"shown": $substring(shown, 0, 40)}}'`;
    const literal = `http://user:${plant('password in an address')}@127.0.0.1:${port}`;
    world.configure(
      `{ protocol: http-json, device: fails, url: '${literal}/error?key=${plant('query')}', headers: { x-key: '\${HEADER}' }, ${mapping} }`,
      `{ protocol: http-json, device: answers, url: '${echo.url}/value', token: '\${TOKEN}', ${mapping} }`,
      `{ protocol: prometheus, device: exporter, url: '${literal}/metrics' }`,
      `{ protocol: snmp, device: switch, host: 127.0.0.1, port: 1, community: '\${COMMUNITY}', timeout: 300ms }`,
      `{ protocol: snmp, device: ups3, host: 127.0.0.1, port: 1, version: 3, user: m, auth: sha256, auth_password: '\${AUTH}', priv_password: '\${PRIV}', timeout: 300ms }`,
      `{ protocol: mqtt, device: broker, url: 'mqtt://127.0.0.1:1', username: c, password: '\${MQTT}', topic: 's/{device}/{metric}' }`,
      `{ protocol: nut, device: nas, host: 127.0.0.1, port: 1, ups: u, username: c, password: '\${NUT}' }`,
    );
    const collector = world.collector(environment);
    await until(
      () =>
        ['Own metrics at', 'fails', 'switch', 'nas', 'exporter'].every((device) => collector.output.includes(device)),
      () => collector.output,
    );
    const own = /Own metrics at (\S+)/.exec(collector.output)?.[1] ?? '';
    const places: Record<string, string> = {};
    places['metrics'] = await (await fetch(own)).text();
    for (const command of [
      ['check'],
      ['status'],
      ['quarantine', 'list'],
      ['read', 'fails'],
      ['read', 'exporter'],
      ['doctor'],
    ]) {
      places[command.join(' ')] = await world.commandWith(environment, ...command);
    }
    await collector.stop();
    places['log'] = collector.output;
    places['sent'] = JSON.stringify(world.api.samples);
    const folder = world.folder.file('instance');
    for (const name of readdirSync(folder)) places[name] = readFileSync(join(folder, name), 'latin1');
    expect(Object.keys(places)).toEqual(expect.arrayContaining(['status', 'log', 'spool.db']));

    const leaks: string[] = [];
    for (const [where, text] of Object.entries(places)) {
      for (const [what, secret] of planted) if (text.includes(secret)) leaks.push(`${what} in ${where}`);
    }
    expect(leaks).toEqual([]);
  }),
);
