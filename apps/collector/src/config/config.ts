import { dirname, join, resolve } from 'node:path';
import {
  unheeded,
  Mistakes,
  readEnvironment,
  readIfThere,
  readSettings,
  type Environment,
} from '@device-metrics/settings';
import { isOnThisPc, readApi, type Api } from './api.js';
import { filledIn, lookupIn, type Surroundings } from './placeholders.js';
import { Redactor, secretsOfNoUrl } from './redact.js';
import { readAllowance, readKeptRemote, readRemote, type Allowance, type Remote, type RemoteText } from './remote.js';
import { Section } from './section.js';
import { collectorSettingGroups, operationSettings, sourceSettings, spoolSettings } from './settings.js';
import { API_DEVICE, sourcesOf, type Defaults, type SourceConfig } from './sources.js';
import { readYaml } from './yaml-text.js';

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
  /** What the api says of what is read here; undefined: it has no say. */
  readonly remote: Remote | undefined;
  /** How often it is asked, ms. */
  readonly remoteInterval: number;
  /** The configuration file, whether it is there or not. */
  readonly file: string;
  readonly sources: readonly SourceConfig[];
  readonly redactor: Redactor;
  /** Variables that nearly have the name of a setting, a sentence for each. */
  readonly unheeded: readonly string[];
}

const DEFAULT_FILE = 'collector.yaml';
/** Beside the spool. */
const REMOTE_FILE = 'remote.json';

/**
 * The whole configuration, checked: the environment, by default of this process and of `.env`, and the YAML file
 * that `COLLECTOR_CONFIG` names; with what the api has for this PC, where the file lets it.
 *
 * @param offered a configuration of the api in place of the one that is kept.
 * @throws SettingsError with every mistake, but for those of the api's configuration: `remote` has them.
 */
export function readConfig(environment?: Environment, offered?: RemoteText): Config {
  const mistakes = new Mistakes();
  const redactor = new Redactor();
  const variables = environment ?? readEnvironment(mistakes);
  const { deviceName, interval, configFile } = readSettings(sourceSettings, variables, mistakes);
  const api = readApi(variables, mistakes);
  if (mistakes.has('API_URL')) secretsOfNoUrl(variables['API_URL'] ?? '').forEach((secret) => redactor.add(secret));
  for (const secret of [api.token, api.credential?.token]) if (secret !== undefined) redactor.add(secret);

  const file = resolve(configFile ?? DEFAULT_FILE);
  const surroundings = { environment: variables, folder: dirname(file) };
  const root = readFile(file, surroundings, mistakes, redactor);
  if (!root && configFile !== undefined) mistakes.add('COLLECTOR_CONFIG', `there is no file ${file}`);
  const section = root ?? new Section({}, '', mistakes);
  const isAutomatic = section.choice('update', ['off', 'auto'], 'off') === 'auto';
  const allows = readAllowance(section);
  const spool = readSettings(spoolSettings, variables, mistakes);
  const { metricsPort, updateInterval, remoteInterval } = readSettings(operationSettings, variables, mistakes);
  const spoolPath = resolve(spool.path);
  const remoteFile = join(dirname(spoolPath), REMOTE_FILE);
  const defaults = { deviceName, interval, api: apiAsDevice(api) };
  const kept = allows && (offered ?? readKeptRemote(remoteFile));
  const { sources, mistakes: wrong } = allows
    ? sourcesOfBoth(section, defaults, { kept, allows, surroundings }, redactor)
    : { sources: sourcesOf(section, defaults), mistakes: [] };
  mistakes.throwIfAny((mistake) => redactor.redact(mistake));
  return {
    api,
    deviceName,
    interval,
    spool: { ...spool, path: spoolPath },
    metricsPort,
    update: { isAutomatic, interval: updateInterval },
    remote: allows && {
      allows,
      file: remoteFile,
      version: kept?.version ?? '',
      mistakes: wrong,
    },
    remoteInterval,
    file,
    sources,
    redactor,
    unheeded: unheeded(collectorSettingGroups, variables),
  };
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

/** The file as a section with every `${NAME}` replaced; undefined where there is no file. */
function readFile(
  file: string,
  surroundings: Surroundings,
  mistakes: Mistakes,
  redactor: Redactor,
): Section | undefined {
  const text = readIfThere(file, (reason) => mistakes.add('COLLECTOR_CONFIG', `${file}: ${reason}`));
  if (text === undefined) return undefined;
  const content = readYaml(text, `COLLECTOR_CONFIG: ${file}`, mistakes) ?? {};
  const filled = filledIn(content, '', lookupIn(surroundings, mistakes, redactor));
  return new Section(filled, '', mistakes, (secret) => redactor.add(secret));
}

/** The sources of the file, and those of the api where its configuration is right. */
function sourcesOfBoth(
  root: Section,
  defaults: Defaults,
  remote: { readonly kept: RemoteText | undefined; readonly allows: Allowance; readonly surroundings: Surroundings },
  redactor: Redactor,
): { sources: SourceConfig[]; mistakes: readonly string[] } {
  const own = sourcesOf(root, defaults);
  if (!remote.kept) return { sources: own, mistakes: [] };
  const mistakes = new Mistakes();
  const theirs = readRemote(remote.kept.text, { ...remote.surroundings, allows: remote.allows }, mistakes, redactor);
  const both = sourcesOf(root, defaults, theirs);
  const isRight = mistakes.list.length === 0;
  return { sources: isRight ? both : own, mistakes: mistakes.list.map((mistake) => redactor.redact(mistake)) };
}
