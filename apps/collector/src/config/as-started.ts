import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Mistakes, readEnvironment, readIfThere, type Environment } from '@device-metrics/settings';
import { readConfig, type Config } from './config.js';

/** Beside the spool. */
const fileOf = ({ spool }: Config): string => `${spool.path}-api.json`;

/** Leaves beside the spool which api the collector uses that starts now, and the file of its token: other shells were told of neither. */
export function noteStart(config: Config): void {
  const tokenFile = readEnvironment(new Mistakes())['API_TOKEN_FILE']?.trim();
  const started: Environment = { API_URL: config.api.url, ...(tokenFile && { API_TOKEN_FILE: resolve(tokenFile) }) };
  const file = fileOf(config);
  writeFileSync(`${file}.new`, JSON.stringify(started), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/**
 * The configuration for a command. Where neither the settings nor a credential name an api, it is that of the collector which runs, or
 * ran last: the port of `PORT=3055 npm start` is known to nobody else.
 *
 * @throws SettingsError with every mistake.
 */
export function readConfigAsStarted(): Config {
  const config = readConfig();
  const environment = readEnvironment(new Mistakes());
  if (config.api.credential || environment['API_URL']?.trim()) return config;
  const { API_URL, API_TOKEN_FILE: file } = startedWith(config);
  if (API_URL === undefined) return config;
  const ownToken = environment['API_TOKEN']?.trim() || environment['API_TOKEN_FILE']?.trim();
  const token = !ownToken && file !== undefined && existsSync(file) ? { API_TOKEN_FILE: file } : {};
  return readConfig({ ...environment, API_URL, ...token });
}

function startedWith(config: Config): Environment {
  try {
    return JSON.parse(readIfThere(fileOf(config), () => undefined) ?? '{}') as Environment;
  } catch {
    return {};
  }
}
