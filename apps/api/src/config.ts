import { parseDuration } from '@device-metrics/domain';
import { registerAs, type ConfigType } from '@nestjs/config';
import { readReportSettings, type ReportSettings } from './reporting/print/report-settings.js';

/** What the api reads from the environment or `.env`; `.env.example` lists it with the defaults. */
export interface ApiSettings {
  /** Address to listen on. */
  readonly host: string;
  /** TCP port; 0 takes a free one. */
  readonly port: number;
  /** SQLite file; it and its folder are made at the first start. */
  readonly databasePath: string;
  /** How long samples are kept, ms; 0: for ever. */
  readonly rawRetention: number;
  /** How long the hourly values of older samples are kept, ms; 0: for ever. */
  readonly hourlyRetention: number;
  /** How many samples the answer to one query may take. */
  readonly maxQuerySamples: number;
  /** `REPORTS_…`. */
  readonly reports: ReportSettings;
}

/** Settings that can't be used, each with its name, its value and what is allowed. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';

  constructor(readonly mistakes: readonly string[]) {
    super(mistakes.join('\n'));
  }
}

const DAY = 86_400_000;
const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

/** @throws SettingsError with every mistake at once. */
export function readSettings(env: NodeJS.ProcessEnv): ApiSettings {
  const mistakes: string[] = [];
  const text = (name: string, fallback: string): string => env[name]?.trim() || fallback;

  const host = text('HOST', '127.0.0.1');
  if (!LOOPBACK.includes(host)) {
    mistakes.push(`HOST must be one of ${LOOPBACK.join(', ')} while there are no access tokens, got "${host}"`);
  }
  const port = text('PORT', '3000');
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    mistakes.push(`PORT must be an integer from 0 to 65535, got "${port}"`);
  }
  const retention = (name: string, fallback: string): number => {
    const value = text(name, fallback);
    const duration = value === '0' ? 0 : parseDuration(value);
    if (duration !== undefined && (duration === 0 || duration >= DAY)) return duration;
    mistakes.push(`${name} must be a duration of at least a day, as in 90d or 5y, or 0 for ever, got "${value}"`);
    return NaN;
  };
  const rawRetention = retention('RETENTION_RAW', '90d');
  const hourlyRetention = retention('RETENTION_HOURLY', '5y');
  if (hourlyRetention > 0 && (rawRetention === 0 || hourlyRetention < rawRetention)) {
    mistakes.push('RETENTION_HOURLY must be 0 or at least RETENTION_RAW');
  }
  const maxQuerySamples = text('QUERY_MAX_SAMPLES', '50000000');
  if (!/^[1-9]\d{0,11}$/.test(maxQuerySamples)) {
    mistakes.push(`QUERY_MAX_SAMPLES must be an integer from 1 to 999999999999, got "${maxQuerySamples}"`);
  }
  const reports = readReportSettings(text, mistakes);
  if (mistakes.length > 0) throw new SettingsError(mistakes);
  const databasePath = text('DATABASE_PATH', 'instance/metrics.db');
  return {
    host,
    port: Number(port),
    databasePath,
    rawRetention,
    hourlyRetention,
    maxQuerySamples: Number(maxQuerySamples),
    reports,
  };
}

export const apiConfig = registerAs('api', () => readSettings(process.env));
export type ApiConfig = ConfigType<typeof apiConfig>;
