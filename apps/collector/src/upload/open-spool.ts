import { SettingsError } from '@device-metrics/settings';
import type { FileLock } from '@device-metrics/sqlite';
import { type Config } from '../config/config.js';
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { lockSpool } from './lock-spool.js';
import { isDamage, type OnDamage } from './spool-file.js';
import { Spool } from './spool.js';

const UNUSABLE = 'The spool is not to be had';

/**
 * The spool of a configuration.
 *
 * @param onDamage told what was found and saved; only the collector itself gives it, as nobody may take the file from under
 *   one that runs.
 * @throws SettingsError where its file cannot be opened.
 */
export function openSpool({ spool }: Config, onDamage?: OnDamage): Spool {
  try {
    return new Spool(spool.path, spool, onDamage);
  } catch (error) {
    const reason = `${(error as Error).message}${hintOf(error, spool.path)}`;
    throw new SettingsError([`SPOOL_PATH: ${spool.path} cannot be opened: ${reason}`], UNUSABLE);
  }
}

/** What to do about an error of SQLite. */
function hintOf(error: unknown, path: string): string {
  if (isDamage(error)) return '; at its next start the collector saves what can be read of it';
  const { code = '' } = error as { code?: string };
  if (code.startsWith('SQLITE_BUSY')) return '; another program holds the file: try again once it has ended';
  if (isFolder(path)) return '; it is a folder, and must be a file';
  if (/^SQLITE_(READONLY|CANTOPEN)/.test(code))
    return '; is it for the user of the collector alone? Then run this as that user';
  return '';
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/**
 * Holds the spool of a configuration for this process.
 *
 * @throws SettingsError where another collector has it.
 */
export function takeSpool({ spool }: Config): FileLock {
  try {
    mkdirSync(dirname(spool.path), { recursive: true });
    return lockSpool(spool.path);
  } catch (error) {
    throw new SettingsError([`SPOOL_PATH: ${spool.path} cannot be used: ${(error as Error).message}`], UNUSABLE);
  }
}
