import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';
import { dirname, resolve } from 'node:path';
import { quote } from '@device-metrics/domain';
import { Mistakes, readEnvironment, readIfThere, readSettings, type Environment } from '@device-metrics/settings';
import { readApi, type Api } from './api.js';
import { operationSettings, sourceSettings, spoolSettings } from './settings.js';
import { Placeholders } from './placeholders.js';
import { Redactor, secretsOfNoUrl } from './redact.js';
import { isMapping, Section } from './section.js';
import { API_DEVICE, sourcesOf, type SourceConfig } from './sources.js';

export interface Config {
  readonly api: Api;
  /** The name of this PC as a device. */
  readonly deviceName: string;
  /** Of sources that have none of their own, ms. */
  readonly interval: number;
  readonly spool: { readonly path: string; readonly maxBytes: number; readonly minFreeBytes: number };
  /** The port on 127.0.0.1 for the collector's own metrics; undefined: none. */
  readonly metricsPort: number | undefined;
  /** Whether it takes newer versions of itself from its api, and how often it asks, ms. */
  readonly update: { readonly isAutomatic: boolean; readonly interval: number };
  /** The configuration file, whether it is there or not. */
  readonly file: string;
  readonly sources: readonly SourceConfig[];
  readonly redactor: Redactor;
}

/** Loads what only a configuration file needs: 5 MB. */
const yaml = (): typeof Yaml => createRequire(import.meta.url)('yaml') as typeof Yaml;

const DEFAULT_FILE = 'collector.yaml';

/**
 * The whole configuration, checked: the environment, by default of this process and of `.env`, and the YAML file
 * that `COLLECTOR_CONFIG` names.
 *
 * @throws SettingsError with every mistake.
 */
export function readConfig(environment?: Environment): Config {
  const mistakes = new Mistakes();
  const redactor = new Redactor();
  const variables = withPortOfApi(environment ?? readEnvironment(mistakes));
  const { deviceName, interval, configFile } = readSettings(sourceSettings, variables, mistakes);
  const api = readApi(variables, mistakes);
  if (mistakes.has('API_URL')) secretsOfNoUrl(variables['API_URL'] ?? '').forEach((secret) => redactor.add(secret));
  for (const secret of [api.token, api.credential?.token]) if (secret !== undefined) redactor.add(secret);

  const file = resolve(configFile ?? DEFAULT_FILE);
  const root = readFile(file, variables, mistakes, redactor);
  if (!root && configFile !== undefined) mistakes.add('COLLECTOR_CONFIG', `there is no file ${file}`);
  const section = root ?? new Section({}, '', mistakes);
  const isAutomatic = section.choice('update', ['off', 'auto'], 'off') === 'auto';
  const sources = sourcesOf(section, { deviceName, interval, api: apiAsDevice(api) });
  const spool = readSettings(spoolSettings, variables, mistakes);
  const { metricsPort, updateInterval } = readSettings(operationSettings, variables, mistakes);
  mistakes.throwIfAny((mistake) => redactor.redact(mistake));
  return {
    api,
    deviceName,
    interval,
    spool: { ...spool, path: resolve(spool.path) },
    metricsPort,
    update: { isAutomatic, interval: updateInterval },
    file,
    sources,
    redactor,
  };
}

/** The api of the same `.env` is on this machine, and at its port, unless `API_URL` says otherwise. */
function withPortOfApi(variables: Environment): Environment {
  const port = variables['PORT']?.trim();
  if (variables['API_URL']?.trim() || port === undefined || !/^[1-9]\d{0,4}$/.test(port)) return variables;
  return { ...variables, API_URL: `http://127.0.0.1:${port}` };
}

/** An api on this PC as a third-party device; another tells of itself to the collector beside it. */
function apiAsDevice({ url: apiUrl, token, credential }: Api): Readonly<Record<string, unknown>> | undefined {
  if (!isOnThisPc(apiUrl)) return undefined;
  const url = `${apiUrl.replace(/\/+$/, '')}/metrics`;
  // The token of a collector does not read, and on this PC nobody needs one.
  const login = credential ? {} : { token };
  const ca = credential?.certificate === undefined ? {} : { ca: credential.certificate };
  return { protocol: 'prometheus', device: API_DEVICE, url, ...login, ...ca };
}

export const isOnThisPc = (url: string): boolean =>
  URL.canParse(url) && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);

/** The file as a section with every `${NAME}` replaced; undefined where there is no file. */
function readFile(file: string, environment: Environment, mistakes: Mistakes, redactor: Redactor): Section | undefined {
  const text = readIfThere(file, (reason) => mistakes.add('COLLECTOR_CONFIG', `${file}: ${reason}`));
  if (text === undefined) return undefined;
  const before = mistakes.list.length;
  const { LineCounter, parseDocument, visit } = yaml();
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
