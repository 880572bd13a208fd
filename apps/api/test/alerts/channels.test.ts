import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generate } from 'selfsigned';
import { SMTPServer } from 'smtp-server';
import type { Message } from '../../src/alerts/notify/channel.js';
import { CHANNEL_TYPES } from '../../src/alerts/notify/channels.js';

const at = Date.UTC(2026, 0, 15, 10);
const LONG = 'Zeile mit Wörtern 😀 '.repeat(2_000);
const message: Message = {
  key: 'k1',
  status: 'firing',
  severity: 'critical',
  title: 'CRITICAL: Too hot – Küche: 95 °C (level 90 °C)',
  text: `• Küche: 95 °C\n\n<b>&</b> @everyone\n${LONG}`,
  html: '<p>Küche: 95 °C</p>',
  links: {
    chart: 'https://metrics.example.org/devices/x',
    acknowledge: 'https://metrics.example.org/a',
    silence: 'https://metrics.example.org/s',
  },
  chart: '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
  notice: { kind: 'news', route: 'r', group: 'g', at, firing: [], ended: [] },
  alerts: [
    {
      id: 'e1',
      rule: 'Too hot',
      severity: 'critical',
      device: 'kitchen',
      labels: { 'hw.id': 'cpu', '0x': 'y' },
      summary: 'Küche: 95 °C',
      text: 'Open a window.',
      began: at,
      ended: at + 60_000,
      url: 'https://metrics.example.org/devices/x',
    },
  ],
};

interface Received {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly json: any;
}

let server: Server;
let url: string;
let status = 200;
const received: Received[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    request.on('end', () => {
      const isJson = request.headers['content-type'] === 'application/json';
      const json: unknown = isJson ? JSON.parse(text) : undefined;
      received.push({ path: request.url ?? '', headers: request.headers, text, json });
      response.writeHead(status, { 'retry-after': '7' }).end(status === 200 ? 'ok' : 'invalid token');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

async function send(type: string, settings: Record<string, unknown>): Promise<Received> {
  const channel = CHANNEL_TYPES.find((one) => one.type === type);
  const defaults = Object.entries(channel?.fields ?? {}).flatMap(([key, { default: usual }]) =>
    usual === undefined ? [] : [[key, usual]],
  );
  await channel?.send(message, { ...(Object.fromEntries(defaults) as object), ...settings });
  return received.at(-1) as Received;
}

const isHttps = (text: unknown): boolean => typeof text === 'string' && text.startsWith('https://');

describe('each receiver gets what its documentation asks for, and no more than it takes:', () => {
  it('webhook, signed', async () => {
    const { headers, text, json } = await send('webhook', { url, secret: 's', headers: { 'x-room': 'lab' } });
    const signature = createHmac('sha256', 's')
      .update(`${headers['x-timestamp'] as string}.${text}`)
      .digest('hex');
    expect(headers).toMatchObject({ 'x-signature': `sha256=${signature}`, 'idempotency-key': 'k1', 'x-room': 'lab' });
    expect(json).toMatchObject({ status: 'firing', alerts: [{ status: 'resolved', device_name: 'kitchen' }] });
  });

  it('Alertmanager API v2', async () => {
    const { path, json, headers } = await send('alertmanager', { url: `${url}/`, user: 'u', password: 'p' });
    expect(path).toBe('/api/v2/alerts');
    expect(headers.authorization).toBe(`Basic ${Buffer.from('u:p').toString('base64')}`);
    expect(json).toEqual([
      {
        labels: { alertname: 'Too hot', severity: 'critical', device: 'kitchen', hw_id: 'cpu', _0x: 'y' },
        annotations: { summary: 'Küche: 95 °C', description: 'Open a window.' },
        startsAt: '2026-01-15T10:00:00.000Z',
        endsAt: '2026-01-15T10:01:00.000Z',
        generatorURL: 'https://metrics.example.org/devices/x',
      },
    ]);
    for (const name of Object.keys(json[0].labels)) expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_]*$/);
  });

  it('ntfy', async () => {
    const { json, headers } = await send('ntfy', { url, topic: 'lab', token: 'tk_1' });
    expect(headers.authorization).toBe('Bearer tk_1');
    expect(json).toMatchObject({ topic: 'lab', priority: 5, tags: ['rotating_light'] });
    expect(Buffer.byteLength(json.message)).toBeLessThanOrEqual(4_096);
    expect(json.actions.map((one: any) => [one.action, isHttps(one.url)])).toEqual([
      ['view', true],
      ['view', true],
    ]);
  });

  it('Telegram', async () => {
    const { path, json } = await send('telegram', { url, token: '1:x', chat: '-100' });
    expect(path).toBe('/bot1:x/sendMessage');
    expect(json.chat_id).toBe('-100');
    expect(json.text.length).toBeLessThanOrEqual(4_096);
    expect(json.reply_markup.inline_keyboard[0]).toHaveLength(3);
    expect(json.parse_mode).toBeUndefined();
  });

  it('Slack', async () => {
    const { json } = await send('slack', { url });
    const [header, section, actions] = json.attachments[0].blocks;
    expect(header).toMatchObject({ type: 'header', text: { type: 'plain_text' } });
    expect(header.text.text.length).toBeLessThanOrEqual(150);
    expect(section.text.text.length).toBeLessThanOrEqual(3_000);
    expect(section.text.text).toContain('&lt;b&gt;&amp;&lt;/b&gt;');
    expect(actions.elements.every((one: any) => one.type === 'button' && isHttps(one.url))).toBe(true);
  });

  it('Discord', async () => {
    const { json } = await send('discord', { url });
    expect(json.allowed_mentions).toEqual({ parse: [] });
    expect(json.embeds[0].title.length).toBeLessThanOrEqual(256);
    expect(json.embeds[0].description.length).toBeLessThanOrEqual(4_096);
    expect(Number.isInteger(json.embeds[0].color)).toBe(true);
  });

  it('Teams', async () => {
    const { json, text } = await send('teams', { url });
    expect(json).toMatchObject({
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          content: { type: 'AdaptiveCard', version: '1.4', body: [{ type: 'TextBlock' }, { type: 'TextBlock' }] },
        },
      ],
    });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(28 * 1024);
  });

  it('Gotify', async () => {
    const { path, json, headers } = await send('gotify', { url, token: 'A' });
    expect([path, headers['x-gotify-key'], json.priority]).toEqual(['/message', 'A', 8]);
    expect(json.message).toContain('95 °C');
  });

  it('Pushover', async () => {
    const { text, headers } = await send('pushover', { url, token: 't', user: 'u' });
    expect(headers['content-type']).toContain('application/x-www-form-urlencoded');
    const form = new URLSearchParams(text);
    expect([...(form.get('message') ?? '')].length).toBeLessThanOrEqual(1_024);
    expect([form.get('token'), form.get('user'), form.get('priority')]).toEqual(['t', 'u', '1']);
  });
});

it.each([
  [401, true],
  [429, false],
  [503, false],
])('an answer %d is a reason that a person can act on, and is final: %s', async (answer, permanent) => {
  status = answer;
  await expect(send('gotify', { url, token: 'A' })).rejects.toMatchObject({
    permanent,
    retryAfter: 7,
    message: expect.stringContaining(`answered ${answer}: invalid token`),
  });
  status = 200;
});

it('a receiver that is not there is a reason too', async () => {
  await expect(send('gotify', { url: 'http://127.0.0.1:1', token: 'A' })).rejects.toMatchObject({ permanent: false });
});

describe('e-mail', () => {
  const mails: string[] = [];
  let smtp: SMTPServer;
  let settings: Record<string, unknown>;
  beforeAll(async () => {
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    });
    smtp = new SMTPServer({
      key,
      cert,
      onAuth: ({ username, password }, _session, done) =>
        username === 'u' && password === 'p' ? done(null, { user: 'u' }) : done(new Error('wrong password')),
      onData(stream, session, done) {
        let text = session.secure ? '' : 'IN PLAIN ';
        stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
        stream.on('end', () => {
          mails.push(text);
          done();
        });
      },
    });
    smtp.listen(0, '127.0.0.1');
    await once(smtp.server, 'listening');
    const { port } = smtp.server.address() as AddressInfo;
    settings = {
      host: 'localhost',
      port,
      ca: cert,
      user: 'u',
      password: 'p',
      from: 'a@example.org',
      to: ['b@example.org'],
    };
  });
  afterAll(() => new Promise<void>((resolve) => smtp.close(() => resolve())));

  it('goes over TLS after logging in, with the chart', async () => {
    await send('email', settings);
    expect(mails).toHaveLength(1);
    expect(mails[0]).toContain('Message-ID: <k1@device-metrics>');
    expect(mails[0]).toContain('image/svg+xml');
    expect(mails[0]).not.toContain('IN PLAIN');
  });

  it('says what the server said to a wrong password, and goes nowhere without a certificate that is trusted', async () => {
    await expect(send('email', { ...settings, password: 'x' })).rejects.toMatchObject({ permanent: true });
    await expect(send('email', { ...settings, ca: undefined })).rejects.toThrow(/self-signed|certificate/);
    expect(mails).toHaveLength(1);
  });
});
