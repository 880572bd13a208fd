import { hostname } from 'node:os';
import { deviceNameRule } from '@device-metrics/domain';
import { bytes, bytesFrom, duration, integer, path, text, url, type SettingGroup } from '@device-metrics/settings';

/** Whether a text can be sent along as a token: a header can have nothing else. */
export const isToken = (value: string): boolean => /^[\x21-\x7e]+$/.test(value);

/** What is collected, and where it goes to. */
export const sourceSettings = {
  apiUrl: {
    name: 'API_URL',
    type: url,
    default: 'http://127.0.0.1:3000',
    meaning: 'where a collector sends to; with `npm start`: its api; once it has joined: where it did',
  },
  apiToken: {
    name: 'API_TOKEN',
    type: text('a token, of printable ASCII without spaces', isToken),
    secret: true,
    meaning: 'bearer token that it sends along; once it has joined it has its own',
  },
  credentialPath: {
    name: 'CREDENTIAL_PATH',
    type: path,
    default: 'instance/credential.json',
    meaning: 'file that `collector join` writes: the url of the api and the token there',
  },
  deviceName: {
    name: 'DEVICE_NAME',
    type: text(
      'a string of 1 to 128 printable characters without space at its ends',
      (value) => deviceNameRule(value) === undefined,
    ),
    default: hostname(),
    defaultMeans: "the host's name",
    meaning: 'name of its PC as a device',
  },
  interval: {
    name: 'COLLECT_INTERVAL',
    type: duration('100ms', '24h', '10s'),
    default: '10s',
    meaning: 'how often each source is read that has no interval of its own',
  },
  configFile: {
    name: 'COLLECTOR_CONFIG',
    type: path,
    defaultMeans: '`collector.yaml`, if it is there',
    meaning: 'what it reads',
  },
} satisfies SettingGroup;

/** The queue on disk. */
export const spoolSettings = {
  path: { name: 'SPOOL_PATH', type: path, default: 'instance/spool.db', meaning: 'its queue on disk' },
  maxBytes: {
    name: 'SPOOL_MAX_BYTES',
    // 0 is no bound elsewhere; here it would give up all that waits.
    type: bytesFrom('4KiB'),
    default: '1GiB',
    meaning: 'how large the queue may grow; the oldest samples go first',
  },
  minFreeBytes: {
    name: 'SPOOL_MIN_FREE_BYTES',
    type: bytes,
    default: '256MiB',
    meaning: 'how much the queue leaves free on its disk',
  },
} satisfies SettingGroup;

export const operationSettings = {
  metricsPort: {
    name: 'COLLECTOR_METRICS_PORT',
    type: integer(0, 65_535, 'a port'),
    meaning: 'port on 127.0.0.1 where the collector offers its own metrics to Prometheus; without it: nowhere',
  },
  remoteInterval: {
    name: 'REMOTE_INTERVAL',
    type: duration('1s', '24h', '1m'),
    default: '1m',
    meaning:
      'how often a collector with `remote` in its file asks its api for the configuration that it has for this PC',
  },
  updateInterval: {
    name: 'UPDATE_INTERVAL',
    type: duration('1s', '24h', '15m'),
    default: '15m',
    meaning: 'how often a collector with `update: auto` asks its api for a newer version',
  },
} satisfies SettingGroup;

/** Everything that the collector reads from the environment or `.env`, in the order of the documentation. */
export const collectorSettingGroups: readonly SettingGroup[] = [sourceSettings, spoolSettings, operationSettings];
