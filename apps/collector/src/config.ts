import { hostname } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { deviceName as deviceNameRule, quote } from '@device-metrics/contract/rules';
import { LineCounter, parseDocument, visit } from 'yaml';
import { Placeholders, readIfThere, type Environment } from './placeholders.js';
import { parseBytes, parseDuration } from './quantities.js';
import { Redactor, secretsOfNoUrl } from './redact.js';
import { isMapping, isUrl, Mistakes, Section } from './section.js';
import { LONGEST_INTERVAL, SHORTEST_INTERVAL, sourcesOf, type SourceConfig } from './sources.js';

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

/**
 * The environment of this process over what a file `.env` in the working folder says.
 *
 * @throws ConfigError where that file cannot be read.
 */
export function readEnvironment(): Environment {
  const failed = (reason: string): never => {
    throw new ConfigError([`.env: ${reason}`]);
  };
  return { ...parseEnv(readIfThere('.env', failed) ?? ''), ...process.env };
}

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
  if (!isUrl(apiUrl)) {
    secretsOfNoUrl(apiUrl).forEach((secret) => redactor.add(secret));
    mistakes.add('API_URL', `must be a URL that begins with http(s)://, got ${quote(apiUrl)}`);
  }
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

/** With no file every group of PC metrics is on, and the third-party device is the api itself. */
function withNoFile(apiUrl: string, token: string | undefined, mistakes: Mistakes): Section {
  if (!isUrl(apiUrl)) return new Section({}, '', mistakes);
  const url = `${apiUrl.replace(/\/+$/, '')}/metrics`;
  const api = { protocol: 'prometheus', device: 'device-metrics-api', url, token };
  return new Section({ third_party: [api] }, '', mistakes);
}

/** The file as a section with every `${NAME}` replaced; undefined where there is no file. */
function readFile(file: string, environment: Environment, mistakes: Mistakes, redactor: Redactor): Section | undefined {
  const text = readIfThere(file, (reason) => mistakes.add('COLLECTOR_CONFIG', `${file}: ${reason}`));
  if (text === undefined) return undefined;
  const before = mistakes.list.length;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const wrongAt = (position: number, reason: string): void => {
    const { line, col } = lines.linePos(position);
    mistakes.add(`line ${line}, column ${col}`, reason);
  };
  for (const { message, pos } of document.errors) wrongAt(pos[0], message);
  visit(document, {
    Alias: (_key, alias, ancestors) => {
      const { source, range } = alias;
      const marked = alias.resolve(document);
      const at = range?.[0] ?? 0;
      if (!marked)
        wrongAt(at, `*${source} stands for what is marked &${source}, which is nowhere; a text needs quotes`);
      else if (ancestors.includes(marked)) wrongAt(at, `*${source} stands within what is marked &${source}`);
    },
  });
  if (mistakes.list.length > before) return new Section({}, '', mistakes);
  const wrong = (reason: string): Section => {
    mistakes.add('COLLECTOR_CONFIG', `${file}: ${reason}`);
    return new Section({}, '', mistakes);
  };
  const fill = new Placeholders(environment, dirname(file), mistakes, redactor);
  let content: unknown;
  try {
    content = fill.in(document.toJS(), '');
  } catch (error) {
    // Too many aliases.
    return wrong((error as Error).message);
  }
  if (content !== null && !isMapping(content)) return wrong(`must be keys and values, got ${quote(content)}`);
  return new Section(content, '', mistakes, (secret) => redactor.add(secret));
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
    const failed = (reason: string): void => this.mistakes.add(`${name}_FILE`, `${file}: ${reason}`);
    const content = readIfThere(file, failed)?.trim();
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
