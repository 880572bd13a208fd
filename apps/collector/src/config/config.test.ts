import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { afterAll, describe, expect, it } from '@jest/globals';
import { TestFolder } from '../../test/harness.js';
import { SettingsError, type Environment } from '@device-metrics/settings';
import { readConfig, type Config } from './config.js';
import { openSpool } from '../upload/open-spool.js';
import { pcGroups } from '../pc/groups.js';

const folder = new TestFolder();
afterAll(() => folder.remove());
let files = 0;

const NO_FILE = { COLLECTOR_CONFIG: '' };

function configOf(yaml: string, environment: Environment = {}): Config {
  return readConfig({ ...environment, COLLECTOR_CONFIG: folder.write(`config-${(files += 1)}.yaml`, yaml) });
}

function mistakesOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof SettingsError) return error.mistakes;
    throw error;
  }
  return [];
}

const sourceOf = (config: Config, name: string): Config['sources'][number] | undefined =>
  config.sources.find((source) => source.name === name);

describe('the configuration', () => {
  it('reads this PC and the api when nothing is configured', () => {
    const config = readConfig(NO_FILE);
    expect(config).toMatchObject({ api: { url: 'http://127.0.0.1:3000' }, deviceName: hostname(), interval: 10_000 });
    expect(config.spool).toMatchObject({ maxBytes: 2 ** 30 });
    const groups = pcGroups.map(({ name }) => name);
    expect(config.sources.map(({ name }) => name)).toEqual([...groups, 'device-metrics-api']);
    expect(sourceOf(config, 'device-metrics-api')).toMatchObject({ deviceName: 'device-metrics-api', timeout: 5_000 });
  });

  it('loads the example file', () => {
    const example = readFileSync(new URL('../../../../collector.example.yaml', import.meta.url), 'utf8');
    const config = configOf(example, {
      HOME_TOKEN: 'secret',
      SNMP_COMMUNITY: 'secret',
      UPS_AUTH_PASSWORD: 'secret-1',
      UPS_PRIV_PASSWORD: 'secret-2',
      MQTT_PASSWORD: 'secret',
    });
    expect(sourceOf(config, 'gpu')).toBeUndefined();
    expect(sourceOf(config, 'services')).toMatchObject({ interval: 60_000 });
    expect(sourceOf(config, 'filesystem')).toMatchObject({ interval: 60_000 });
    expect(sourceOf(config, 'cpu')).toMatchObject({ interval: 10_000 });
    expect(sourceOf(config, 'weather')).toMatchObject({ interval: 900_000, timeout: 20_000 });
    expect(config.sources.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['device-metrics-api', 'weather', 'home']),
    );
  });

  it('lists every mistake by its path, and suggests the nearest key', () => {
    const yaml = `
      pc:
        intervall: 10s
        cpu: { interval: 10 }
        memroy: false
        network: { exclude: veth }
      third_party:
        - protocol: promethius
          device: web
        - protocol: prometheus
          device: shop
          urll: http://shop/metrics
          headers: { Authorization: "Bearer \${SHOP_TOKEN}", X-Id: 5 }
        - protocol: http-json
          device: ' '
          url: ftp://weather
          mapping: "[{"
          timeout: 1h
          password: p
        - just text
      thirdparty: []`;
    expect(mistakesOf(() => configOf(yaml))).toEqual([
      'third_party[1].headers.Authorization: ${SHOP_TOKEN} is not set in the environment',
      'pc.cpu.interval: must be a duration from 100ms to 86400s, as in 10s, got 10',
      'pc.network.exclude: must be a list of texts, got "veth"',
      'pc.intervall: is not known here; did you mean "interval"?',
      'pc.memroy: is not known here; did you mean "memory"?',
      'third_party[3]: must be keys and values, got "just text"',
      'third_party[0].protocol: must be one of http-json, prometheus, snmp, mqtt, modbus, nut, command, got "promethius"; did you mean "prometheus"?',
      'third_party[1].url: is missing; it must be a URL that begins with http:// or https://',
      'third_party[1].headers.X-Id: must be text; put it in quotes',
      'third_party[1].urll: is not known here; did you mean "url"?',
      'third_party[2].device: must be a string of 1 to 128 printable characters without space at its ends, and not . or .., got " "',
      'third_party[2].timeout: must be a duration from 1ms to 300s, as in 10s, got "1h"',
      'third_party[2].url: must be a URL that begins with http:// or https://, got "ftp://weather"',
      'third_party[2].username: is missing; a password needs one',
      expect.stringMatching(/^third_party\[2\]\.mapping: is no JSONata: .* \(at character 2\)$/),
      'third_party[3].protocol: is missing; it must be text',
      'third_party[3].device: is missing; it must be text',
      'thirdparty: is not known here; did you mean "third_party"?',
    ]);
  });

  it('lists what is wrong in the environment by the name of the variable', () => {
    const environment = {
      API_URL: 'localhost:3000',
      DEVICE_NAME: 'x'.repeat(129),
      COLLECT_INTERVAL: '10',
      API_TOKEN: 'two words',
      SPOOL_MAX_BYTES: '0',
      SPOOL_MIN_FREE_BYTES: 'much',
      COLLECTOR_METRICS_PORT: '70000',
      COLLECTOR_CONFIG: folder.file('nowhere.yaml'),
    };
    expect(mistakesOf(() => readConfig(environment))).toEqual([
      'API_URL: must be a URL that begins with http(s)://, got "localhost:3000"',
      'API_TOKEN: must be a token, of printable ASCII without spaces',
      expect.stringMatching(/^DEVICE_NAME: must be a string of 1 to 128/),
      'COLLECT_INTERVAL: must be a duration from 100ms to 24h, as in 10s, got "10"',
      `COLLECTOR_CONFIG: there is no file ${folder.file('nowhere.yaml')}`,
      'SPOOL_MAX_BYTES: must be at least 4KiB, as in 1048576 or 512MiB, got "0"',
      'SPOOL_MIN_FREE_BYTES: must be bytes, as in 1048576 or 512MiB, got "much"',
      'COLLECTOR_METRICS_PORT: must be a port from 0 to 65535, got "70000"',
    ]);
  });

  it('tells the line where the file is no YAML', () => {
    expect(mistakesOf(() => configOf('pc:\n  cpu: [true\n'))).toEqual([expect.stringMatching(/^line 3, column 1: /)]);
    expect(mistakesOf(() => configOf('pc: true\npc: false\n'))).toEqual([
      expect.stringMatching(/^line 2, column 1: .*unique/),
    ]);
    expect(mistakesOf(() => configOf('pc:\n  network: { exclude: [*.10] }\n'))).toEqual([
      'line 2, column 24: *.10 stands for what is marked &.10, which is nowhere; a text needs quotes',
    ]);
  });

  it('tells what else the file cannot be', () => {
    const mistakesOfFile = (yaml: string): readonly string[] =>
      mistakesOf(() => configOf(yaml)).map((mistake) => mistake.replace(folder.path, ''));
    const tenfold = (name: string, of: string): string =>
      `${name}: &${name} [${Array(10).fill(`*${of}`).join(', ')}]\n`;
    expect(mistakesOfFile(`a: &a x\n${tenfold('b', 'a')}${tenfold('c', 'b')}${tenfold('d', 'c')}`)).toEqual([
      expect.stringMatching(/^COLLECTOR_CONFIG: .*config-\d+\.yaml: Excessive alias count/),
    ]);
    expect(mistakesOfFile('pc: &all { cpu: *all }\n')).toEqual([
      'line 1, column 17: *all stands within what is marked &all',
    ]);
    expect(mistakesOfFile('- protocol: snmp\n')).toEqual([
      expect.stringMatching(/^COLLECTOR_CONFIG: .*config-\d+\.yaml: must be keys and values, got an array of 1$/),
    ]);
    expect(mistakesOfFile('pc: no')).toEqual(['pc: must be keys and values, or false, got "no"']);
  });

  it('says what a value may be', () => {
    const yaml = `
      pc: { cpu: yes }
      third_party:
        - { protocol: command, device: a, command: [ping, -c, 1, ""] }
        - { protocol: snmp, device: b, host: h, version: 1, community: "" }
        - { protocol: modbus, device: c, host: h, registers: [{ address: 1, metric: room temperature }] }
        - { protocol: nut }
        - { protocol: nut }`;
    expect(mistakesOf(() => configOf(yaml))).toEqual([
      'pc.cpu: must be true, false, or keys and values, got "yes"',
      'third_party[0].command[2]: must be text, got 1; put it in quotes',
      'third_party[0].command[3]: must be text, got ""',
      'third_party[1].version: must be one of 2c, 3, got "1"',
      'third_party[1].community: must not be empty',
      expect.stringMatching(
        /registers\[0\]\.metric: must be a string of 1 to 255 letters, .*, got "room temperature"$/,
      ),
      'third_party[3].device: is missing; it must be text',
      'third_party[4].device: is missing; it must be text',
    ]);
  });

  it('tells which file cannot be read', () => {
    const directory = folder.path;
    expect(mistakesOf(() => readConfig({ COLLECTOR_CONFIG: directory, API_TOKEN_FILE: directory }))).toEqual([
      `API_TOKEN_FILE: ${directory}: the file cannot be read: EISDIR`,
      `COLLECTOR_CONFIG: ${directory}: the file cannot be read: EISDIR`,
    ]);
    expect(mistakesOf(() => configOf(`third_party: [{ token: "\${file:${directory}}" }]`))).toContain(
      `third_party[0].token: \${file:${directory}}: the file cannot be read: EISDIR`,
    );
    const spool = readConfig({ ...NO_FILE, SPOOL_PATH: directory });
    expect(mistakesOf(() => openSpool(spool, () => undefined))).toEqual([
      `SPOOL_PATH: ${directory} cannot be opened: unable to open database file; it is a folder, and must be a file`,
    ]);
  });

  it('wants a name where two sources would be called the same', () => {
    const entry = (name: string): string => `  - { protocol: prometheus, device: web, url: 'http://a'${name} }\n`;
    expect(mistakesOf(() => configOf(`third_party:\n${entry('')}${entry('')}`))).toEqual([
      'third_party[1].name: another source is called "web"; give this one a name of its own',
    ]);
    expect(mistakesOf(() => configOf(`third_party:\n${entry('')}${entry(', name: web-2')}`))).toEqual([]);
    expect(mistakesOf(() => configOf(`third_party:\n${entry(', name: cpu')}`))).toHaveLength(1);
  });

  it('fills in ${NAME} from the environment and ${file:PATH}, and hides both', () => {
    folder.write('token', 's3cret-from-file\n');
    const yaml = `
      pc: false
      api: false
      third_party:
        - { protocol: prometheus, device: "\${WHERE}-ups", url: "http://\${USER_NAME}:\${PASS}@ups/", token: "\${file:token}" }`;
    const { sources, redactor } = configOf(yaml, { WHERE: 'rack', USER_NAME: 'root', PASS: 'pa:ss"word' });
    expect(sources).toMatchObject([{ name: 'rack-ups', deviceName: 'rack-ups' }]);
    expect(redactor.redact('rack-ups: pa:ss"word s3cret-from-file pa%3Ass%22word http://x:y@host/')).toBe(
      'rack-ups: *** *** *** http://***@host/',
    );
  });

  it('hides secrets in the mistakes too', () => {
    const yaml = `third_party: [{ protocol: prometheus, device: web, url: "\${PASS}" }]`;
    expect(mistakesOf(() => configOf(yaml, { PASS: 'hunter22' }))).toEqual([
      'third_party[0].url: must be a URL that begins with http:// or https://, got "***"',
    ]);
  });

  it('hides in the mistakes what may be a secret in a text that is no URL, and in headers that are no keys', () => {
    const entry = (others: string): string => `
        - { protocol: prometheus, device: ups, ${others} }`;
    const yaml = `
      third_party:${entry("name: a, url: 'http://root:pa/ss@ups/'")}${entry("name: b, url: 'ups/x?apikey=hunter22&n=1'")}${entry("name: c, url: 'http://ups/', headers: 'X-Api-Key: hunter22'")}
        - { protocol: command, device: d, command: [ls], environment: [TOKEN=hunter22] }
        - { protocol: mqtt, device: e, url: 'mqtt://root:pa/ss@ups', topic: a }`;
    expect(mistakesOf(() => configOf(yaml, { API_URL: 'root:hunter22@api:3000' }))).toEqual([
      'API_URL: must be a URL that begins with http(s)://, got "***@api:3000"',
      'third_party[0].url: must be a URL that begins with http:// or https://, got "http://***@ups/"',
      'third_party[1].url: must be a URL that begins with http:// or https://, got "ups/x?apikey=***&n=1"',
      'third_party[2].headers: must be keys and values, as in {name: text}',
      'third_party[3].environment: must be keys and values, as in {name: text}',
      'third_party[4].url: must be a URL that begins with mqtt://, mqtts://, ws:// or wss:// and names a host, got "mqtt://***@ups"',
    ]);
  });

  it('keeps what the api tells of itself, unless it says otherwise', () => {
    const names = (yaml: string): string[] =>
      configOf(`pc: false\n${yaml}`).sources.map(({ deviceName }) => deviceName);
    const api = '{ protocol: prometheus, device: device-metrics-api, url: "http://api:3000/metrics" }';
    expect(names('')).toEqual(['device-metrics-api']);
    expect(names('third_party: [{ protocol: prometheus, device: web, url: "http://a" }]')).toEqual([
      'web',
      'device-metrics-api',
    ]);
    expect(names(`third_party: [${api}]`)).toEqual(['device-metrics-api']);
    expect(names('api: false')).toEqual([]);
  });

  it('sends to the port of the api in the same .env, unless API_URL names another', () => {
    expect(configOf('pc: false', { PORT: '3210' }).api.url).toBe('http://127.0.0.1:3210');
    expect(configOf('pc: false', { PORT: '3210', API_URL: 'http://api:3000' }).api.url).toBe('http://api:3000');
    expect(configOf('pc: false').api.url).toBe('http://127.0.0.1:3000');
    const joined = { url: 'https://far:3000', collector_id: 'c', device_name: 'pc', token: 't', joined_at: 1 };
    const CREDENTIAL_PATH = folder.write('credential.json', JSON.stringify(joined));
    expect(configOf('pc: false', { PORT: '3210', CREDENTIAL_PATH }).api).toMatchObject({ url: joined.url, token: 't' });
    // What a damaged one has is not sent anywhere.
    for (const wrong of [{ token: 't\n' }, { token: 'täst' }, { url: 'ftp://server' }, { joined_at: 'x' }]) {
      const damaged = folder.write('damaged.json', JSON.stringify({ ...joined, ...wrong }));
      expect(mistakesOf(() => configOf('pc: false', { CREDENTIAL_PATH: damaged }))).toEqual([
        `CREDENTIAL_PATH: ${damaged} is no credential; run collector join again`,
      ]);
    }
  });

  it('sends the token that lies beside its credential, where it has no other, to an api on this PC', () => {
    folder.write('token', 'dm_ingest_1_a\n');
    const CREDENTIAL_PATH = folder.file('none.json');
    const token = (more: Environment): string | undefined =>
      configOf('pc: false', { CREDENTIAL_PATH, ...more }).api.token;
    expect(token({})).toBe('dm_ingest_1_a');
    expect(token({ API_URL: 'https://[::1]:3210' })).toBe('dm_ingest_1_a');
    expect(token({ API_TOKEN: 'other' })).toBe('other');
    expect(token({ API_URL: 'http://far:3000' })).toBeUndefined();
    const joined = { url: 'http://127.0.0.1:3000', collector_id: 'c', device_name: 'pc', token: 't', joined_at: 1 };
    expect(token({ CREDENTIAL_PATH: folder.write('joined.json', JSON.stringify(joined)) })).toBe('t');
  });

  it('tells whether a source has changed', () => {
    const entry = (timeout: string): string => `
      api: false
      third_party:
        - { protocol: prometheus, device: web, url: "http://a", timeout: ${timeout} }
        - { protocol: prometheus, device: shop, url: "http://b" }`;
    const [before, same, after] = [entry('1s'), entry('1s'), entry('2s')].map((yaml) => configOf(yaml));
    const identities = (config: Config | undefined): (string | undefined)[] =>
      config?.sources.map((one) => one.identity) ?? [];
    expect(identities(same)).toEqual(identities(before));
    expect(identities(after).slice(0, -2)).toEqual(identities(before).slice(0, -2));
    expect(identities(after).at(-1)).toBe(identities(before).at(-1));
    expect(identities(after).at(-2)).not.toBe(identities(before).at(-2));
  });
});
