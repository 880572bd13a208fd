import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { quote, showDuration } from '@device-metrics/domain';
import { SettingsError } from '@device-metrics/settings';
import type { Config } from '../config/config.js';
import { mistakesOfRemote, type Allowance } from '../config/remote.js';
import { UsageError, type Print } from './command.js';

/**
 * The configuration has been read, so all of this PC's own is right. With `-`, and what a PC allows as JSON, that of standard input
 * is looked at in its place, by the rules for what an api gives to PCs.
 *
 * @throws SettingsError with its mistakes.
 */
export async function check(
  { file, api, deviceName, sources, remote, unheeded }: Config,
  args: readonly string[],
  print: Print,
): Promise<void> {
  if (args.length > 0) return checkForOthers(args, print);
  for (const name of unheeded) print(name);
  print(existsSync(file) ? `${file} is right` : `There is no ${file}; these are the defaults`);
  if (remote && remote.version !== '') {
    print(
      `the configuration ${remote.version} of the api ${remote.mistakes.length === 0 ? 'is right' : 'is refused:'}`,
    );
    for (const mistake of remote.mistakes) print(`  ${mistake}`);
  }
  print(`device ${deviceName}, api ${api.url}`);
  for (const { name, deviceName: device, interval, timeout, check } of sources) {
    print(`  ${name}: device ${device}, every ${showDuration(interval)}, at most ${showDuration(timeout)}`);
    for (const missing of (await check?.()) ?? []) print(`    ${missing}`);
  }
}

async function checkForOthers([from, allowed]: readonly string[], print: Print): Promise<void> {
  if (from !== '-') throw new UsageError(`check takes - for standard input, got ${quote(from)}`);
  const mistakes = mistakesOfRemote(
    await text(process.stdin),
    allowed === undefined ? undefined : allowanceOf(allowed),
  );
  if (mistakes.length > 0) throw new SettingsError(mistakes);
  print('The configuration is right');
}

function allowanceOf(json: string): Allowance {
  try {
    const { commands, secrets } = JSON.parse(json) as Partial<Allowance>;
    if (typeof commands === 'boolean' && Array.isArray(secrets)) return { commands, secrets };
  } catch {
    // Said below.
  }
  throw new UsageError(
    `check - takes what a PC allows, as in {"commands": false, "secrets": ["NAME"]}, got ${quote(json)}`,
  );
}
