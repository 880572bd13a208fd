import { createRequire } from 'node:module';
import type * as Cron from 'cron';
import { isIP } from 'node:net';
import { DAY, isTimeZone, like, MAX_HOURS, parseDuration, parseHours, type Pattern } from '@device-metrics/domain';
import {
  integer,
  Mistakes,
  oneOf,
  path,
  readEnvironment,
  readSettings,
  text,
  type Environment,
  type SettingGroup,
  type SettingType,
  type SettingValues,
  webAddressMistake,
} from '@device-metrics/settings';
import type { Role } from '@device-metrics/storage';
import { registerAs, type ConfigType } from '@nestjs/config';

const require = createRequire(import.meta.url);

/** A duration of at least a day, ms; 0: for ever. */
const retention: SettingType<number> = {
  allowed: 'a duration of at least a day, as in 90d or 5y, or 0 for ever',
  parse: (value) => {
    const length = value === '0' ? 0 : parseDuration(value);
    return length === 0 || (length ?? 0) >= DAY ? length : undefined;
  },
};

/** Whether a cron expression can be read, and there is a time that it means: 30 February never comes. */
function comesToPass(schedule: string): boolean {
  try {
    const { CronTime } = require('cron') as typeof Cron;
    new CronTime(schedule, 'UTC').sendAt();
    return true;
  } catch {
    return false;
  }
}

/** Neither a port stands behind it, nor brackets around it. What has digits alone is an address, or nothing. */
const isHost = (value: string): boolean =>
  isIP(value) !== 0 || (/^[A-Za-z0-9._-]{1,255}$/.test(value) && !/^[\d.]+$/.test(value));

const postgresUrl: SettingType<string> = {
  allowed: 'empty, or an address such as postgres://user:password@host:5432/database?sslmode=verify-full',
  parse: (value) => (value === '' || /^postgres(ql)?:\/\/[^\s]+$/.test(value) ? value : undefined),
};

export const serverSettings = {
  host: {
    name: 'HOST',
    type: text('an IP address or a host name', isHost),
    default: '127.0.0.1',
    meaning:
      'address that the api listens on; `0.0.0.0` or `::` for all of this machine, once there is a token, a user or an invitation',
  },
  /** 0 takes a free one. */
  port: { name: 'PORT', type: integer(0, 65_535), default: '3000', meaning: 'its TCP port' },
  databasePath: {
    name: 'DATABASE_PATH',
    type: path,
    default: 'instance/metrics.db',
    meaning: 'its SQLite file; it and its folder are made at the first start',
  },
  /** Empty: SQLite. */
  databaseUrl: {
    name: 'DATABASE_URL',
    type: postgresUrl,
    default: '',
    meaning: 'a PostgreSQL database in place of that file, which several api processes may share; see docs/scale.md',
    secret: true,
  },
  databaseConnections: {
    name: 'DATABASE_CONNECTIONS',
    type: integer(1, 1_000),
    default: '8',
    meaning: 'connections to PostgreSQL for queries; each process has six more',
  },
  rawRetention: {
    name: 'RETENTION_RAW',
    type: retention,
    default: '90d',
    meaning: 'how long samples are kept; samples older than nine tenths of it are refused',
  },
  hourlyRetention: {
    name: 'RETENTION_HOURLY',
    type: retention,
    default: '5y',
    meaning: 'how long the hourly values of older samples are kept; not shorter than `RETENTION_RAW`',
  },
  maxSeriesPerDevice: {
    name: 'MAX_SERIES_PER_DEVICE',
    type: integer(0, 10_000_000),
    default: '20000',
    meaning: 'how many series a device may have, beyond which new ones are refused; 0: any number',
  },
  maxNewSeriesPerMinute: {
    name: 'MAX_NEW_SERIES_PER_MINUTE',
    type: integer(0, 10_000_000),
    default: '10000',
    meaning: 'how many new series a device may get within a minute; 0: any number',
  },
  maxQuerySamples: {
    name: 'QUERY_MAX_SAMPLES',
    type: integer(1, 999_999_999_999),
    default: '50000000',
    meaning: 'how many samples the answer to one query may read',
  },
} satisfies SettingGroup;

/** A list of names with commas between them. */
const list = (allowed: string, fits: (item: string) => boolean): SettingType<readonly string[]> => ({
  allowed,
  parse: (value) => {
    const items = value.split(',').map((item) => item.trim().toLowerCase());
    return items.length === 1 && items[0] === '' ? [] : items.every(fits) ? items : undefined;
  },
});

const isNetwork = (text: string): boolean => {
  const [address = '', length = '0', ...more] = text.split('/');
  const most = isIP(address) === 4 ? 32 : 128;
  return isIP(address) !== 0 && more.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= most;
};

/** Who gets in. */
export const accessSettings = {
  allowedHosts: {
    name: 'ALLOWED_HOSTS',
    type: list('host names with commas between them, as in metrics.example.org,*.lab.example.org', (name) =>
      /^(\*\.)?[a-z0-9._-]+$/.test(name),
    ),
    default: '',
    meaning: 'names that the api is called by, other than `localhost`, its IP addresses and the name of its machine',
  },
  tls: {
    name: 'TLS',
    type: oneOf(['off', 'auto']),
    default: 'off',
    meaning:
      '`auto`: TLS by a certificate of its own, made at the first start, which collectors know by its fingerprint',
  },
  tlsCert: {
    name: 'TLS_CERT',
    type: path,
    default: '',
    meaning: 'file of the certificate, and those between it and its authority, PEM; TLS is on with it',
  },
  tlsKey: {
    name: 'TLS_KEY',
    type: path,
    default: '',
    meaning: 'file of its key, PEM; both are taken up again when they change',
  },
  trustedProxies: {
    name: 'TRUSTED_PROXIES',
    type: list('IP addresses or networks with commas between them, as in 127.0.0.1,10.0.0.0/8', isNetwork),
    default: '',
    meaning: 'reverse proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count',
  },
} satisfies SettingGroup;

/** A provider only at https, or on this machine. */
const isIssuer = (value: string): boolean => {
  if (value === '') return true;
  if (!URL.canParse(value)) return false;
  const { protocol, hostname } = new URL(value);
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname));
};

const ROLE_OF_GROUP = /^(.+)=(viewer|editor|admin)$/;

/** Which group gives which role: the highest counts. */
const groupRoles: SettingType<readonly (readonly [group: string, role: Role])[]> = {
  allowed: 'group=role with commas between, as in metrics-admins=admin,*=viewer; * stands for everybody',
  parse: (value) => {
    const pairs = value
      .split(',')
      .map((pair) => pair.trim())
      .filter((pair) => pair !== '');
    const read = pairs.map((pair) => ROLE_OF_GROUP.exec(pair));
    return read.includes(null)
      ? undefined
      : read.map((match) => [match?.[1]?.trim() ?? '', match?.[2] as Role] as const);
  },
};

/** Signing in by an OpenID provider. */
export const openIdSettings = {
  issuer: {
    name: 'OIDC_ISSUER',
    type: text('the https:// address of an OpenID provider, or empty', isIssuer),
    default: '',
    meaning: 'OpenID provider by which people may sign in, as it calls itself; docs/security.md shows some',
  },
  clientId: {
    name: 'OIDC_CLIENT_ID',
    type: text('a string', () => true),
    default: '',
    meaning: 'name of this server at the provider',
  },
  clientSecret: {
    name: 'OIDC_CLIENT_SECRET',
    type: text('a string', () => true),
    default: '',
    meaning: 'its secret there; without one PKCE alone is relied on',
    secret: true,
  },
  roles: {
    name: 'OIDC_ROLES',
    type: groupRoles,
    default: '',
    meaning: 'which groups of the provider get which role, such as `metrics-admins=admin,*=viewer`; `*`: everybody',
  },
  groupsClaim: {
    name: 'OIDC_GROUPS_CLAIM',
    type: text('the name of a claim', (value) => value !== ''),
    default: 'groups',
    meaning: 'claim that has the groups of somebody',
  },
  scopes: {
    name: 'OIDC_SCOPES',
    type: text('scopes with space between, openid among them', (value) => value.split(' ').includes('openid')),
    default: 'openid profile email',
    meaning: 'what the provider is asked for',
  },
  displayName: {
    name: 'OIDC_NAME',
    type: text('a string of 1 to 64 characters', (value) => value.length > 0 && value.length <= 64),
    default: 'OpenID',
    meaning: 'what the button of the sign-in calls the provider',
  },
} satisfies SettingGroup;

/** How much one client may ask and send. */
export const limitSettings = {
  requestsPerSecond: {
    name: 'MAX_REQUESTS_PER_SECOND',
    type: integer(0, 1_000_000),
    default: '1000',
    meaning:
      'requests that one credential, or one address without any, may send in the long run; beyond it comes 429; 0: any number',
  },
  samplesPerSecond: {
    name: 'MAX_SAMPLES_PER_SECOND',
    type: integer(0, 100_000_000),
    default: '0',
    meaning: 'samples that one credential may send in the long run; beyond it comes 429; 0: any number',
  },
  connections: {
    name: 'MAX_CONNECTIONS',
    type: integer(0, 1_000_000),
    default: '4000',
    meaning: 'connections at one time; those beyond it are closed at once; 0: any number',
  },
} satisfies SettingGroup;

/** A cron expression; empty: never. */
const schedule = (examples: string): SettingType<string> =>
  text(
    `a cron expression of minute, hour, day, month and weekday, with seconds before them if wanted, as in ${examples}, or empty for never`,
    (value) => value === '' || comesToPass(value),
  );

/** When and where printable reports of all devices are written without anybody asking. */
export const reportSettings = {
  /** As in the query parameter `time_range`. */
  timeRange: {
    name: 'REPORTS_TIME_RANGE',
    type: text(`a number of hours above 0 and up to ${MAX_HOURS}`, (value) => parseHours(value) !== undefined),
    default: '24',
    meaning: 'hours that the printable reports of all devices cover',
  },
  timeZone: {
    name: 'REPORTS_TIMEZONE',
    type: text('an IANA time zone, as in Europe/Berlin', isTimeZone),
    default: 'UTC',
    meaning: 'time zone of their schedule and of their pages',
  },
  /** Empty: never. */
  schedule: {
    name: 'REPORTS_SCHEDULE',
    type: schedule('0 6 * * 1 for Mondays at 6'),
    default: '',
    meaning: 'when they are written',
  },
  path: {
    name: 'REPORTS_PATH',
    type: path,
    default: 'instance/reports',
    meaning: 'the folder that they go to; each run makes a folder there',
  },
  keep: {
    name: 'REPORTS_KEEP',
    type: integer(1, 99_999),
    default: '30',
    meaning: 'how many runs stay; with older ones go the files that the api made',
  },
} satisfies SettingGroup;

/** How lines of InfluxDB's protocol name things. */
export const influxSettings = {
  deviceTags: {
    name: 'INFLUX_DEVICE_TAGS',
    type: {
      allowed: 'names of tags with commas between them, as in host or sensor_id,host',
      parse: (value: string) => {
        const tags = value.split(',').map((tag) => tag.trim());
        return tags.every((tag) => tag !== '') ? tags : undefined;
      },
    },
    default: 'agent_host,source,host,hostname',
    meaning:
      'Influx lines and OpenTSDB: the tag whose value is the device, the first of these that there is; without one the database or bucket is, and `opentsdb`',
  },
  names: {
    name: 'INFLUX_NAMES',
    type: oneOf(['opentelemetry', 'as-sent']),
    default: 'opentelemetry',
    meaning:
      '`opentelemetry`: what Telegraf, Home Assistant and Proxmox send gets the names, units and labels of the metric catalogue',
  },
} satisfies SettingGroup;

const webAddress = text('an address that begins with http:// or https://, or empty', (value) =>
  /^(https?:\/\/[^\s]+)?$/.test(value),
);

/** One that this server itself calls. */
const calledAddress = text(
  'an address that begins with http:// or https://, with no port that is kept for another service, such as 25 or 6000, or empty',
  (value) => value === '' || webAddressMistake(value) === undefined,
);

/** What is watched, and how people are told. */
export const alertSettings = {
  file: {
    name: 'ALERTS_FILE',
    type: text('the path of a YAML file, or empty', () => true),
    default: '',
    meaning: 'rules, channels, routes, maintenance and dependencies of alerts that only this file changes',
  },
  secretsPath: {
    name: 'ALERTS_SECRETS_PATH',
    type: text('the path of a folder, or empty', () => true),
    default: '',
    meaning: 'folder of the files that channels name as `file:NAME` in place of a secret',
  },
  publicUrl: {
    name: 'PUBLIC_URL',
    type: webAddress,
    default: '',
    meaning: 'address by which people reach the page, for the links in messages, such as https://metrics.example.org',
  },
  timeZone: {
    name: 'ALERTS_TIMEZONE',
    type: text('an IANA time zone, as in Europe/Berlin', isTimeZone),
    default: 'UTC',
    meaning: 'time zone of the times in messages',
  },
  retention: {
    name: 'ALERTS_RETENTION',
    type: retention,
    default: '1y',
    meaning: 'how long the history of alerts and their messages is kept',
  },
  heartbeatUrl: {
    name: 'HEARTBEAT_URL',
    type: calledAddress,
    default: '',
    meaning: 'called each minute while the rules are looked at: a service there tells somebody when that ends',
    secret: true,
  },
} satisfies SettingGroup;

/** A label or attribute that names the device. */
export interface DeviceLabel {
  readonly name: string;
  /** Whether a port at the end of it is left out. */
  readonly withoutPort: boolean;
}

const deviceLabels: SettingType<readonly DeviceLabel[]> = {
  allowed: 'names with commas between them, as in instance,job; host(instance) for what is before the port',
  parse: (value) => {
    const found = value.split(',').map((item) => /^(host\()?([^\s(),]+)(\))?$/.exec(item.trim()));
    const labels: DeviceLabel[] = [];
    for (const match of found) {
      const [, open, name, close] = match ?? [];
      if (name === undefined || (open === undefined) !== (close === undefined)) return undefined;
      labels.push({ name, withoutPort: open !== undefined });
    }
    return labels;
  },
};

/** Which names are taken: those that one of `taken` fits, and none of `left`. */
export interface NamePatterns {
  readonly taken: readonly Pattern[];
  readonly left: readonly Pattern[];
}

const namePatterns: SettingType<NamePatterns> = {
  allowed: 'patterns of names with commas between them; * is any text, and a pattern after ! takes out',
  parse: (value) => {
    const patterns = value.split(',').map((item) => item.trim());
    if (value !== '' && !patterns.every((pattern) => /^!?[^\s!,]+$/.test(pattern))) return undefined;
    const takesOut = (pattern: string): boolean => pattern.startsWith('!');
    return {
      taken: patterns.filter((pattern) => pattern !== '' && !takesOut(pattern)).map(like),
      left: patterns.filter(takesOut).map((pattern) => like(pattern.slice(1))),
    };
  },
};

/** What becomes of what others send. */
export const ingestSettings = {
  remoteWriteDevice: {
    name: 'REMOTE_WRITE_DEVICE',
    type: deviceLabels,
    default: 'host(instance),job',
    meaning: 'labels of Prometheus remote write that name the device, of which the first that a series has counts',
  },
  otlpDevice: {
    name: 'OTLP_DEVICE',
    type: deviceLabels,
    default: 'host.name,service.instance.id,service.name',
    meaning: 'resource attributes of OpenTelemetry that name the device, of which the first that a resource has counts',
  },
  otlpLabels: {
    name: 'OTLP_LABELS',
    type: namePatterns,
    default:
      '*,!telemetry.*,!os.*,!host.arch,!host.id,!host.ip,!host.mac,!host.type,!host.cpu.*,!host.image.*,!process.command*,' +
      '!process.executable.*,!process.runtime.*,!process.owner,!service.version,!cloud.*,!container.image.*',
    meaning: 'which resource attributes of OpenTelemetry become labels; those that tell apart what is measured must',
  },
} satisfies SettingGroup;

/** How it is kept running for years. */
export const operationSettings = {
  backupSchedule: {
    name: 'BACKUP_SCHEDULE',
    type: schedule('0 3 * * * for every night at 3'),
    default: '',
    meaning: 'when a backup is made, by the clock of this machine; each is opened and checked after it is made',
  },
  backupPath: {
    name: 'BACKUP_PATH',
    type: path,
    default: 'instance/backups',
    meaning:
      'the folder that they go to, best on another disk; also those that a new version makes before it changes the database',
  },
  backupKeep: {
    name: 'BACKUP_KEEP',
    type: integer(1, 99_999),
    default: '7',
    meaning: 'how many of them stay',
  },
  packagesPath: {
    name: 'PACKAGES_PATH',
    type: path,
    default: 'instance/packages',
    meaning:
      'the folder of the packages that PCs get; an api that is a package itself makes the one for its own platform there',
  },
} satisfies SettingGroup;

/** Everything that the api reads from the environment or `.env`, in the order of the documentation. */
export const apiSettingGroups: readonly SettingGroup[] = [
  serverSettings,
  accessSettings,
  openIdSettings,
  limitSettings,
  influxSettings,
  ingestSettings,
  reportSettings,
  alertSettings,
  operationSettings,
];

export type ReportSettings = SettingValues<typeof reportSettings>;

export type OperationSettings = SettingValues<typeof operationSettings>;

export type AlertSettings = SettingValues<typeof alertSettings>;

export type InfluxSettings = SettingValues<typeof influxSettings>;
export type IngestSettings = SettingValues<typeof ingestSettings>;

export type AccessSettings = SettingValues<typeof accessSettings>;

export type OpenIdSettings = SettingValues<typeof openIdSettings>;

export type LimitSettings = SettingValues<typeof limitSettings>;

export interface ApiSettings extends SettingValues<typeof serverSettings> {
  readonly access: AccessSettings;
  readonly openId: OpenIdSettings;
  readonly limits: LimitSettings;
  readonly influx: InfluxSettings;
  readonly ingest: IngestSettings;
  readonly reports: ReportSettings;
  readonly alerts: AlertSettings;
  readonly operation: OperationSettings;
  /** Those variables of the environment that channels of alerts may name: `ALERTS_…`. */
  readonly alertVariables: Environment;
}

/** The address of the database: a path of SQLite, or one of PostgreSQL. */
export const databaseOf = ({ databaseUrl, databasePath }: Pick<ApiSettings, 'databaseUrl' | 'databasePath'>): string =>
  databaseUrl === '' ? databasePath : databaseUrl;

/** @throws SettingsError with every mistake at once. */
export function readApiSettings(environment?: Environment): ApiSettings {
  const mistakes = new Mistakes(' ');
  const variables = environment ?? readEnvironment(mistakes);
  const server = readSettings(serverSettings, variables, mistakes);
  const { rawRetention, hourlyRetention } = server;
  const tooShort = hourlyRetention > 0 && (rawRetention === 0 || hourlyRetention < rawRetention);
  if (tooShort && !mistakes.has('RETENTION_RAW')) {
    const [raw, hourly] = [serverSettings.rawRetention, serverSettings.hourlyRetention].map(
      ({ name, default: standard }) => variables[name]?.trim() || standard,
    );
    mistakes.add(
      'RETENTION_HOURLY',
      `must be 0 (for ever) or at least RETENTION_RAW (${raw}), got ${JSON.stringify(hourly)}`,
    );
  }
  const access = readSettings(accessSettings, variables, mistakes);
  if ((access.tlsCert === '') !== (access.tlsKey === '')) {
    mistakes.add(access.tlsCert === '' ? 'TLS_CERT' : 'TLS_KEY', 'must be given too: TLS_CERT and TLS_KEY go together');
  }
  const openId = readSettings(openIdSettings, variables, mistakes);
  if (openId.issuer !== '') {
    if (openId.clientId === '') mistakes.add('OIDC_CLIENT_ID', 'must be given too: it goes together with OIDC_ISSUER');
    if (openId.roles.length === 0 && !mistakes.has('OIDC_ROLES')) {
      mistakes.add(
        'OIDC_ROLES',
        'must say who gets which role, as in metrics-admins=admin,*=viewer: else nobody gets in',
      );
    }
  }
  const limits = readSettings(limitSettings, variables, mistakes);
  const influx = readSettings(influxSettings, variables, mistakes);
  const ingest = readSettings(ingestSettings, variables, mistakes);
  const reports = readSettings(reportSettings, variables, mistakes);
  const alerts = readSettings(alertSettings, variables, mistakes);
  const operation = readSettings(operationSettings, variables, mistakes);
  mistakes.throwIfAny();
  const alertVariables = Object.fromEntries(Object.entries(variables).filter(([name]) => name.startsWith('ALERTS_')));
  return { ...server, access, openId, limits, influx, ingest, reports, alerts, operation, alertVariables };
}

export const apiConfig = registerAs('api', () => readApiSettings());
export type ApiConfig = ConfigType<typeof apiConfig>;
