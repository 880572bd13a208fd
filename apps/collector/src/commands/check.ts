import { existsSync } from 'node:fs';
import { showDuration } from '@device-metrics/domain';
import type { Config } from '../config/config.js';
import type { Print } from './command.js';

/** The configuration has been read, so all of it is right. */
export async function check(
  { file, api, deviceName, sources }: Config,
  _args: readonly string[],
  print: Print,
): Promise<void> {
  print(existsSync(file) ? `${file} is right` : `There is no ${file}; these are the defaults`);
  print(`device ${deviceName}, api ${api.url}`);
  for (const { name, deviceName: device, interval, timeout, check } of sources) {
    print(`  ${name}: device ${device}, every ${showDuration(interval)}, at most ${showDuration(timeout)}`);
    for (const missing of (await check?.()) ?? []) print(`    ${missing}`);
  }
}
