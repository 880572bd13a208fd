import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { deviceName as deviceNameRule, quote } from '@device-metrics/contract/rules';
import { LineCounter, parseDocument } from 'yaml';
import { pcSource, shortestInterval } from './pc/group.js';
import { pcGroups } from './pc/groups.js';
import { Placeholders, readIfThere, type Environment } from './placeholders.js';
import { parseBytes, parseDuration } from './quantities.js';
import { Redactor } from './redact.js';
import { isUrl, Mistakes, Section, didYouMean } from './section.js';
import type { Source, SourceTools } from './source.js';
import { protocols } from './third-party/protocols.js';

/** One source that runs at its interval. */
export interface SourceConfig {
  /** Unique in this collector. */
  readonly name: string;
  readonly deviceName: string;
  /** Milliseconds. */
  readonly interval: number;
  /** How long a run may take, ms. */
  readonly timeout: number;
  /** Two configurations of a source are the same where this is. */
  readonly identity: string;
  readonly create: (tools: SourceTools) => Source;
}

export interface Config {
  readonly apiUrl: string;
  /** Sent to the api as a bearer token. */
  readonly apiToken: string | undefined;
  /** The name of this PC as a device. */
  readonly deviceName: string;
  /** Of sources that have none of their own, ms. */
  readonly interval: number;
  readonly spool: { readonly path: string; readonly maxBytes: number; readonly minFreeBytes: number };
  /** The port on 127.0.0.1 for the collector's own metrics; undefined: none. */
  readonly metricsPort: number | undefined;
  /** The configuration file, whether it is there or not. */
  readonly file: string;
  readonly sources: readonly SourceConfig[];
  readonly redactor: Redactor;
}

export const CONFIG = Symbol('Config');

/** What is wrong in the configuration: all of it, each line with its path. Holds no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly mistakes: readonly string[]) {
    super(`The configuration has ${mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`}`);
  }
}

/** The environment of this process over what a file `.env` in the working folder says. */
export function readEnvironment(): Environment {
  return { ...parseEnv(readIfThere('.env') ?? ''), ...process.env };
}

const SHORTEST_INTERVAL = 100;
const LONGEST_INTERVAL = 86_400_000;
const DEFAULT_TIMEOUT = 5_000;
const LONGEST_TIMEOUT = 300_000;
const DEFAULT_FILE = 'collector.yaml';

/**
 * The whole configuration, checked: environment, and the YAML file that `COLLECTOR_CONFIG` names.
 *
 * @throws ConfigError with every mistake.
 */
export function readConfig(environment: Environment): Config {
  const mistakes = new Mistakes();
  const redactor = new Redactor();
  const settings = new Settings(environment, mistakes);
  const apiUrl = settings.text('API_URL', 'http://127.0.0.1:3000');
  if (!isUrl(apiUrl)) mistakes.add('API_URL', `must be a URL that begins with http(s)://, got ${quote(apiUrl)}`);
  const deviceName = settings.text('DEVICE_NAME', hostname());
  const wrongName = deviceNameRule(deviceName);
  if (wrongName !== undefined) mistakes.add('DEVICE_NAME', wrongName);
  const interval = settings.duration('COLLECT_INTERVAL', '10s');
  const apiToken = settings.secret('API_TOKEN');
  if (apiToken !== undefined) redactor.add(apiToken);

  const named = settings.text('COLLECTOR_CONFIG', '');
  const file = resolve(named || DEFAULT_FILE);
  const root = readFile(file, environment, mistakes, redactor);
  if (!root && named !== '') mistakes.add('COLLECTOR_CONFIG', `there is no file ${file}`);
  const sources = sourcesOf(root ?? withNoFile(apiUrl, apiToken, mistakes), { deviceName, interval });
  const config = {
    apiUrl,
    apiToken,
    deviceName,
    interval,
    spool: {
      path: resolve(settings.text('SPOOL_PATH', 'instance/spool.db')),
      maxBytes: settings.bytes('SPOOL_MAX_BYTES', '1GiB'),
      minFreeBytes: settings.bytes('SPOOL_MIN_FREE_BYTES', '256MiB'),
    },
    metricsPort: settings.port('COLLECTOR_METRICS_PORT'),
    file,
    sources,
    redactor,
  };
  if (mistakes.list.length > 0) throw new ConfigError(mistakes.list.map((mistake) => redactor.redact(mistake)));
  return config;
}

interface Defaults {
  readonly deviceName: string;
  readonly interval: number;
}

/** With no file every group of PC metrics is on, and the third-party device is the api itself. */
function withNoFile(apiUrl: string, token: string | undefined, mistakes: Mistakes): Section {
  if (!isUrl(apiUrl)) return new Section({}, '', mistakes);
  const url = `${apiUrl.replace(/\/+$/, '')}/metrics`;
  const api = { protocol: 'prometheus', device: 'device-metrics-api', url, token };
  return new Section({ third_party: [api] }, '', mistakes);
}

function sourcesOf(root: Section, defaults: Defaults): SourceConfig[] {
  const pc = pcSources(root, defaults);
  const thirdParty = root.sections('third_party').map((entry) => thirdPartySource(entry, defaults));
  root.end();
  const sources = [...pc, ...thirdParty.filter((source) => source !== undefined)];
  const taken = new Set(['collector', ...pcGroups.map(({ name }) => name)]);
  root.sections('third_party').forEach((entry, index) => {
    const name = thirdParty[index]?.name;
    if (name === undefined) return;
    if (taken.has(name))
      entry.mistake('name', `another source is called ${quote(name)}; give this one a name of its own`);
    taken.add(name);
  });
  return sources;
}

function pcSources(root: Section, { deviceName, interval }: Defaults): SourceConfig[] {
  if (root.is('pc', false)) return [];
  const pc = root.section('pc');
  const every = pc.duration('interval', interval, SHORTEST_INTERVAL, LONGEST_INTERVAL);
  const sources = pcGroups.flatMap((group): SourceConfig[] => {
    if (pc.is(group.name, false) || (group.onlyIfNamed && !pc.has(group.name))) return [];
    const keys = pc.is(group.name, true) ? pc.empty(group.name) : pc.section(group.name);
    const timing = timingOf(keys, Math.max(every, shortestInterval(group, process.platform)));
    const create = pcSource(group, keys);
    keys.end();
    return [{ name: group.name, deviceName, ...timing, identity: `${deviceName} ${every} ${keys.source}`, create }];
  });
  pc.end();
  return sources;
}

function thirdPartySource(entry: Section, defaults: Defaults): SourceConfig | undefined {
  const names = protocols.map(({ name }) => name);
  const protocolName = entry.text('protocol');
  const protocol = protocols.find(({ name }) => name === protocolName);
  const deviceName = entry.text('device');
  const wrongName = deviceNameRule(deviceName);
  if (wrongName !== undefined) entry.mistake('device', wrongName);
  const name = entry.optionalText('name') ?? deviceName;
  const timing = timingOf(entry, defaults.interval);
  if (!protocol) {
    const near = didYouMean(protocolName, names);
    entry.mistake('protocol', `must be one of ${names.join(', ')}, got ${quote(protocolName)}${near}`);
    return undefined;
  }
  const create = protocol.configure(entry, name);
  entry.end();
  return { name, deviceName, ...timing, identity: `${defaults.interval} ${entry.source}`, create };
}

function timingOf(keys: Section, fallback: number): { interval: number; timeout: number } {
  const interval = keys.duration('interval', fallback, SHORTEST_INTERVAL, LONGEST_INTERVAL);
  return { interval, timeout: keys.duration('timeout', DEFAULT_TIMEOUT, 1, LONGEST_TIMEOUT) };
}

/** The file as a section with every `${NAME}` replaced; undefined where there is no file. */
function readFile(file: string, environment: Environment, mistakes: Mistakes, redactor: Redactor): Section | undefined {
  const text = readIfThere(file);
  if (text === undefined) return undefined;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const { message, pos } of document.errors) {
    const { line, col } = lines.linePos(pos[0]);
    mistakes.add(`line ${line}, column ${col}`, message);
  }
  if (document.errors.length > 0) return new Section({}, '', mistakes);
  const fill = new Placeholders(environment, dirname(file), mistakes, redactor);
  return new Section(fill.in(document.toJS(), ''), '', mistakes, (secret) => redactor.add(secret));
}

/** The settings that are variables of the environment; a mistake has the name of the variable as its path. */
class Settings {
  constructor(
    private readonly environment: Environment,
    private readonly mistakes: Mistakes,
  ) {}

  text(name: string, fallback: string): string {
    const value = this.environment[name];
    return value === undefined || value === '' ? fallback : value;
  }

  /** From the variable, or from the file that `<name>_FILE` names. */
  secret(name: string): string | undefined {
    const file = this.text(`${name}_FILE`, '');
    if (file === '') return this.text(name, '') || undefined;
    const content = readIfThere(file)?.trim();
    if (!content) this.mistakes.add(`${name}_FILE`, `there is nothing in ${file}`);
    return content;
  }

  duration(name: string, fallback: string): number {
    const text = this.text(name, fallback);
    const duration = parseDuration(text);
    if (duration !== undefined && duration >= SHORTEST_INTERVAL && duration <= LONGEST_INTERVAL) return duration;
    this.mistakes.add(name, `must be a duration from 100ms to 24h, as in 10s, got ${quote(text)}`);
    return LONGEST_INTERVAL;
  }

  bytes(name: string, fallback: string): number {
    const text = this.text(name, fallback);
    const bytes = parseBytes(text);
    if (bytes === undefined) this.mistakes.add(name, `must be bytes, as in 1048576 or 512MiB, got ${quote(text)}`);
    return bytes ?? 0;
  }

  port(name: string): number | undefined {
    const text = this.text(name, '');
    if (text === '') return undefined;
    const port = Number(text);
    if (/^\d+$/.test(text) && port <= 65_535) return port;
    this.mistakes.add(name, `must be a port from 0 to 65535, got ${quote(text)}`);
    return undefined;
  }
}
