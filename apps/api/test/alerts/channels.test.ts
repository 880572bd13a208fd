import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generate } from 'selfsigned';
import fc from 'fast-check';
import { SMTPServer } from 'smtp-server';
import type { Message } from '../../src/alerts/notify/channel.js';
import { CHANNEL_TYPES } from '../../src/alerts/notify/channels.js';
import { readRule } from '../../src/alerts/rules/read-rule.js';
import { compose } from '../../src/alerts/telling/compose.js';
import type { Notice } from '../../src/alerts/telling/tell.js';
import { LinkSigner } from '../../src/alerts/telling/links.js';

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
/** How the receiver answers a request. */
let answer: (request: IncomingMessage, response: ServerResponse, json: any) => void;
const ok: typeof answer = (_request, response) => void response.end('ok');
const withStatus =
  (status: number, headers: Record<string, string> = {}, body = 'invalid token'): typeof answer =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body);
const received: Received[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk) => (text += chunk));
    request.on('end', () => {
      const isJson = request.headers['content-type'] === 'application/json';
      const json: unknown = isJson ? JSON.parse(text) : undefined;
      received.push({ path: request.url ?? '', headers: request.headers, text, json });
      answer(request, response, json);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  answer = ok;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

async function send(type: string, settings: Record<string, unknown>, what = message): Promise<Received> {
  const channel = CHANNEL_TYPES.find((one) => one.type === type);
  const defaults = Object.entries(channel?.fields ?? {}).flatMap(([key, { default: usual }]) =>
    usual === undefined ? [] : [[key, usual]],
  );
  await channel?.send(what, { ...(Object.fromEntries(defaults) as object), ...settings });
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

/** What the providers say of their limits; lengths of text in UTF-16, which is never less than what they count. */
const LIMITS: Record<string, { settings: Record<string, unknown>; holds: (got: Received) => void }> = {
  ntfy: {
    settings: { topic: 'lab' },
    holds: ({ json }) => {
      expect(Buffer.byteLength(json.message)).toBeLessThanOrEqual(4_096);
      expect(Buffer.byteLength(json.title)).toBeLessThanOrEqual(1_024);
      expect(json.actions.length).toBeLessThanOrEqual(3);
    },
  },
  telegram: { settings: { token: 't', chat: 'c' }, holds: ({ json }) => within(json.text, 1, 4_096) },
  slack: {
    settings: {},
    holds: ({ json }) => {
      const [header, section, actions] = json.attachments[0].blocks;
      within(header.text.text, 1, 150);
      within(section.text.text, 1, 3_000);
      for (const { text, url } of actions.elements) {
        within(text.text, 1, 75);
        within(url, 1, 3_000);
      }
    },
  },
  discord: {
    settings: {},
    holds: ({ json }) => {
      const [{ title, description }] = json.embeds;
      within(title, 1, 256);
      within(description, 1, 4_096);
      expect(title.length + description.length).toBeLessThanOrEqual(6_000);
    },
  },
  teams: { settings: {}, holds: ({ text }) => expect(Buffer.byteLength(text)).toBeLessThanOrEqual(28 * 1024) },
  gotify: { settings: { token: 't' }, holds: ({ json }) => within(json.message, 1, 10_000) },
  pushover: {
    settings: { token: 't', user: 'u' },
    holds: ({ text }) => {
      const form = new URLSearchParams(text);
      within(form.get('message') ?? '', 1, 1_024);
      within(form.get('title') ?? '', 1, 250);
      within(form.get('url') ?? '', 1, 512);
    },
  },
};
const within = (text: string, least: number, most: number): void => {
  expect(text.length).toBeGreaterThanOrEqual(least);
  expect(text.length).toBeLessThanOrEqual(most);
};

it('no text, title or number of alerts makes a message that a provider refuses', async () => {
  const signer = new LinkSigner(Buffer.alloc(32, 1));
  const hard = fc.array(fc.constantFrom('\n', '"', '&', '<', '😀', 'ö', 'word ', '\\', '\u2028'), { maxLength: 40 });
  const long = fc.tuple(hard, fc.integer({ min: 1, max: 2_000 })).map(([parts, times]) => parts.join('').repeat(times));
  const notices = fc.record({
    name: long,
    count: fc.integer({ min: 1, max: 1_000 }),
    rule: fc.string({ minLength: 1 }),
  });
  await fc.assert(
    fc.asyncProperty(notices, async ({ name, count, rule }) => {
      const item = { ...{ rule, severity: 'critical' as const, value: 1, level: 0, began: at, ended: null } };
      const firing = Array.from({ length: count }, (_, index) => ({
        ...item,
        id: `0b0c1f3e-7e0f-4b6e-9d5b-${String(index).padStart(12, '0')}`,
        subject: { device: `pc-${index}`, metric: 'm', labels: { what: name } },
      }));
      const notice = { kind: 'news' as const, route: 'r', group: 'g', at, firing, ended: [] };
      const made = await compose(notice, 'k'.repeat(43), {
        rule: () => undefined,
        nameOf: (device) => device,
        tags: () => ({}),
        publicUrl: 'https://metrics.example.org',
        signer,
        timeZone: 'UTC',
        chart: () => Promise.resolve(undefined),
      });
      for (const [type, { settings, holds }] of Object.entries(LIMITS))
        holds(await send(type, { url, ...settings }, made));
    }),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 300 : 15 },
  );
});

it('a message tells of devices and of their parts as people count', async () => {
  const item = { id: 'e', rule: 'r', severity: 'info' as const, value: 1, level: 0, began: at, ended: null };
  const of = (device: string, cpu = ''): Notice['firing'][number] => ({
    ...item,
    subject: { device, metric: 'm', labels: cpu === '' ? {} : { cpu } },
  });
  const firing = [of('al-10', '10'), of('al-10', '9'), of('al-100'), of('al-2'), of('al-20'), of('nas')];
  const ended = [of('al-11'), of('al-3')].map((one) => ({ ...one, ended: at }));
  const notice = { kind: 'news' as const, route: 'r', group: 'g', at, firing, ended };
  const { text, html } = await compose(notice, 'k', {
    rule: () => undefined,
    nameOf: (device) => (device === 'nas' ? 'al-1' : device),
    tags: () => ({}),
    publicUrl: undefined,
    signer: new LinkSigner(Buffer.alloc(32, 1)),
    timeZone: 'UTC',
    chart: () => Promise.resolve(undefined),
  });
  const order = ['al-1', 'al-2', 'al-10, cpu 9', 'al-10, cpu 10', 'al-20', 'al-100', 'al-3', 'al-11'];
  expect([...text.matchAll(/• (.*?):/g)].map(([, name]) => name)).toEqual(order);
  expect([...html.matchAll(/<li>(.*?):/g)].map(([, name]) => name)).toEqual(order);
});

it('what devices send turns round nothing of the message that it stands in', async () => {
  const subject = { device: '\u202Edetrevni', metric: 'm', labels: { mountpoint: '/\u2066data' } };
  const item = { id: 'e', rule: 'r', severity: 'info' as const, value: 1, level: 0, began: at, ended: null, subject };
  const notice = { kind: 'news' as const, route: 'r', group: 'g', at, firing: [item], ended: [] };
  const { title, text, html, alerts } = await compose(notice, 'k', {
    rule: (name) =>
      readRule({
        name,
        select: { metric: 'm' },
        condition: { above: 0 },
        text: 'See to {{ device }}: {{ tags.room }}',
      }),
    nameOf: (device) => device,
    tags: () => ({ room: 'b\u202B1' }),
    publicUrl: undefined,
    signer: new LinkSigner(Buffer.alloc(32, 1)),
    timeZone: 'UTC',
    chart: () => Promise.resolve(undefined),
  });
  expect(alerts[0]).toMatchObject({
    device: '\u202Edetrevni',
    summary: '\\u{202E}detrevni, mountpoint /\\u{2066}data: 1 (level 0)',
    text: 'See to \\u{202E}detrevni: b\\u{202B}1',
  });
  for (const one of [title, text, html]) expect(one).not.toMatch(/[\u202A-\u202E\u2066-\u2069]/);
});

it('alerts of a rule over several metrics say which they are of: to Alertmanager they were one, and the end of one ended all', async () => {
  const item = { id: 'e', rule: 'hot', severity: 'info' as const, value: 95, level: 90, began: at, ended: null };
  const of = (metric: string): Notice['firing'][number] => ({ ...item, subject: { device: 'pc', metric, labels: {} } });
  const notice = { kind: 'news' as const, route: 'r', group: 'g', at, firing: [of('cpu.t'), of('gpu.t')], ended: [] };
  const made = (metric: string[]): Promise<Message> =>
    compose(notice, 'k', {
      rule: (name) => readRule({ name, select: { metric }, condition: { above: 90 } }),
      nameOf: (device) => device,
      tags: () => ({}),
      publicUrl: undefined,
      signer: new LinkSigner(Buffer.alloc(32, 1)),
      timeZone: 'UTC',
      chart: () => Promise.resolve(undefined),
    });
  for (const metric of [['*.t'], ['cpu.t', 'gpu.t']]) {
    const several = await made(metric);
    expect(several.alerts.map(({ summary }) => summary)).toEqual([
      'pc, cpu.t: 95 (level 90)',
      'pc, gpu.t: 95 (level 90)',
    ]);
    const { json } = await send('alertmanager', { url }, several);
    expect(json.map(({ labels }: any) => labels.metric)).toEqual(['cpu.t', 'gpu.t']);
  }
  const { alerts } = await made(['cpu.t']);
  expect(alerts[0]).toMatchObject({ summary: 'pc: 95 (level 90)', labels: {} });
});

it('what still fires goes to Alertmanager with an end far ahead: it takes what does not come again for over', async () => {
  const [open] = message.alerts.map((one) => ({ ...one, ended: null }));
  const { json } = await send('alertmanager', { url }, { ...message, alerts: open ? [open] : [] });
  expect(Date.parse(json[0].endsAt) - at).toBeGreaterThan(30 * 86_400_000);
});

it.each(['telegram', 'slack', 'discord'])(
  '%s gets a message without links where it refuses the links',
  async (type) => {
    answer = (request, response, json) =>
      JSON.stringify(json).includes('"url"')
        ? withStatus(400, {}, 'Bad Request: BUTTON_URL_INVALID')(request, response, json)
        : ok(request, response, json);
    const { json } = await send(type, { url, ...LIMITS[type]?.settings });
    expect(JSON.stringify(json)).toContain('95 °C');
  },
);

const soon = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString();

it.each<[string, number, Record<string, string>, string, { permanent: boolean; retryAfter?: unknown }]>([
  ['a token that is wrong', 401, {}, 'invalid token', { permanent: true }],
  ['a chat that is gone', 400, {}, '{"ok":false,"description":"Bad Request: chat not found"}', { permanent: true }],
  ['a webhook that is gone', 404, {}, '{"message": "Unknown Webhook", "code": 10015}', { permanent: true }],
  ['seconds in the header', 429, { 'retry-after': '7' }, 'no', { permanent: false, retryAfter: 7 }],
  [
    'a date in the header',
    503,
    { 'retry-after': soon(90) },
    'no',
    { permanent: false, retryAfter: expect.any(Number) },
  ],
  [
    'Discord, in the body',
    429,
    {},
    '{"message":"x","retry_after":64.57,"global":false}',
    { permanent: false, retryAfter: 64.57 },
  ],
  [
    'Telegram, in the body',
    429,
    {},
    '{"ok":false,"parameters":{"retry_after":35}}',
    { permanent: false, retryAfter: 35 },
  ],
  ['a server that is ill', 500, {}, 'rollup_error', { permanent: false }],
  ['a request that took too long', 408, {}, 'no', { permanent: false }],
])('the answer %s (%d) says whether it is tried again, and when', async (_what, status, headers, body, expected) => {
  answer = withStatus(status, headers, body);
  await expect(send('gotify', { url, token: 'A' })).rejects.toMatchObject({
    ...expected,
    message: expect.stringContaining(`answered ${status}: ${body}`),
  });
});

it('a redirect is not followed, and its reason says where the address leads, without what may be secret', async () => {
  for (const status of [301, 302, 307, 308]) {
    answer = withStatus(status, { location: 'https://new.example.org/hook/secret' });
    const sent = send('webhook', { url });
    await expect(sent).rejects.toThrow(/answered 30\d, a redirect to https:\/\/new\.example\.org: /);
    await expect(sent).rejects.toMatchObject({ permanent: true });
  }
  expect(received.at(-1)?.path).toBe('/');
});

it('what a receiver says of a message that it has taken does not matter, though it never ends', async () => {
  answer = (_request, response) => void response.writeHead(200).write('{');
  await send('webhook', { url });
  answer = (_request, response) => void response.writeHead(500).end('x'.repeat(5_000_000));
  await expect(send('webhook', { url })).rejects.toThrow(/answered 500: x{300}$/);
});

it('a receiver that is not there is a reason too', async () => {
  await expect(send('gotify', { url: 'http://127.0.0.1:1', token: 'A' })).rejects.toMatchObject({ permanent: false });
});

describe('e-mail', () => {
  const mails: string[] = [];
  const receivers: string[][] = [];
  let refuse: { address: string; code: number } | undefined;
  let refuseCharts = false;
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
      onRcptTo({ address }, _session, done) {
        if (refuse?.address !== address) return done();
        done(Object.assign(new Error('not now, or never'), { responseCode: refuse.code }));
      },
      onData(stream, session, done) {
        let text = session.secure ? '' : 'IN PLAIN ';
        stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
        stream.on('end', () => {
          if (refuseCharts && text.includes('svg'))
            return done(Object.assign(new Error('a virus'), { responseCode: 554 }));
          mails.push(text);
          receivers.push(session.envelope.rcptTo.map(({ address }) => address));
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

  it('to several, of which one is refused or put off, comes to each once', async () => {
    receivers.length = 0;
    const to = ['b@example.org', 'Grey <grey@Example.ORG>', 'c@example.org', 'b.grey@example.org'];
    const several = { ...settings, to };
    const grey = 'grey@example.org';
    refuse = { address: grey, code: 451 };
    const sent = send('email', several);
    await expect(sent).rejects.toThrow(/not taken for grey@example\.org: .*451/);
    await expect(sent).rejects.toMatchObject({ permanent: false, refused: [{ receiver: grey }] });
    const behind = { only: undefined, without: [grey] };
    await send('email', several, { ...message, receivers: behind });
    // Where nobody else is left it is not taken for anyone: only then do others wait.
    const only = { only: grey, without: [] };
    await expect(send('email', several, { ...message, receivers: only })).rejects.toMatchObject({ refused: [] });
    refuse = undefined;
    await send('email', several, { ...message, receivers: only });
    await send('email', { ...settings, to: ['b@example.org'] }, { ...message, receivers: only });
    const others = ['b@example.org', 'c@example.org', 'b.grey@example.org'];
    expect(receivers).toEqual([others, others, [grey]]);
    refuse = { address: grey, code: 550 };
    await expect(send('email', several)).rejects.toMatchObject({ permanent: true });
    refuse = undefined;
  });

  it('comes without its chart where the server takes no such file', async () => {
    mails.length = 0;
    refuseCharts = true;
    await send('email', settings);
    refuseCharts = false;
    expect(mails.map((mail) => mail.includes('image/svg+xml'))).toEqual([false]);
  });

  it('goes to no server that does not offer TLS, where TLS is wanted', async () => {
    const plain = new SMTPServer({ disabledCommands: ['STARTTLS'], authOptional: true });
    plain.on('error', () => undefined);
    plain.listen(0, '127.0.0.1');
    await once(plain.server, 'listening');
    const { port } = plain.server.address() as AddressInfo;
    await expect(send('email', { ...settings, port })).rejects.toThrow(/STARTTLS|TLS/);
    await new Promise<void>((resolve) => plain.close(() => resolve()));
  });
});
