import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { devNull } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FieldErrorDto } from '@device-metrics/contract';
import type { ConfigurationAllowance } from '@device-metrics/storage';

/** The collector that came with this api: its rules are those of the file. */
const COLLECTOR = fileURLToPath(new URL('../../../collector/dist/main.js', import.meta.url));
const TIMEOUT = 20_000;

/** One at a time: each is a process. */
let turn: Promise<unknown> = Promise.resolve();

/**
 * What is wrong in a configuration for PCs, by the rules of the collector itself.
 *
 * @param allows what the PC lets it do; undefined: whatever one may let it.
 * @throws where the collector cannot be asked.
 */
export function mistakesOf(text: string, allows?: ConfigurationAllowance): Promise<FieldErrorDto[]> {
  const answer = turn.then(() => ask(text, allows));
  turn = answer.catch(() => undefined);
  return answer;
}

function ask(text: string, allows: ConfigurationAllowance | undefined): Promise<FieldErrorDto[]> {
  if (!existsSync(COLLECTOR)) {
    throw new Error(
      `configurations are checked by the collector that came with this api, and ${COLLECTOR} is not there`,
    );
  }
  const args = [COLLECTOR, 'check', '-', ...(allows ? [JSON.stringify(allows)] : [])];
  // Nothing of this machine counts: neither settings of the api, nor a file in its folder.
  const env = { DEVICE_NAME: 'pc', SETTINGS_FILE: devNull };
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      args,
      { cwd: dirname(COLLECTOR), env, timeout: TIMEOUT },
      (error, _out, said) => {
        const mistakes = said.split('\n').filter((line) => line.startsWith('  '));
        if (!error) resolve([]);
        else if (error.code === 1 && mistakes.length > 0) resolve(mistakes.map(mistakeOf));
        else
          reject(
            new Error(`the collector that came with this api could not check it: ${said.trim() || error.message}`),
          );
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(text);
  });
}

function mistakeOf(line: string): FieldErrorDto {
  const [, field = 'text', reason = line] = /^ {2}(.+?): (.*)$/.exec(line) ?? [];
  return { field, reason };
}
