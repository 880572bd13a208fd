import { parseDuration, type Rule } from '@device-metrics/domain';
import { userInfo } from 'node:os';
import type { Work } from './command.js';

/** Something that a command was asked for and cannot do; the message says what would do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Who runs commands, as the audit has it. */
export const OPERATOR = `operator ${nameOfUser()}`;
const COMMAND_LINE = 'command line';

function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in the list of users, as in containers.
    return 'unknown';
  }
}

/** The one argument of a command, which has no options: `--force` is no name of a file. */
export function onePath(name: string, args: readonly string[], usage: string): string {
  const [path, ...more] = args;
  if (path && !path.startsWith('-') && more.length === 0) return path;
  throw new UsageError(`${name} takes other arguments:\n  ${usage}`);
}

/** @throws UsageError with the name of the option where its value breaks the rule. */
export function checked<T>(name: string, value: T, rule: Rule): T {
  const wrong = value === undefined ? undefined : rule(value);
  if (wrong !== undefined) throw new UsageError(`${name} ${wrong}`);
  return value;
}

/** Milliseconds of a duration; undefined where none is given. */
export const spanOf = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : text === '0' ? 0 : parseDuration(text);

/** Tags of options such as `room=lab`. */
export function tagsOf(pairs: readonly string[] | undefined): Record<string, string> | undefined {
  if (!pairs) return undefined;
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new UsageError(`--tag must be name=value, as in room=lab, got "${pair}"`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** Writes down what was done. */
export const note = (
  { store, now }: Work,
  action: string,
  target: string,
  details: Readonly<Record<string, string>> = {},
): Promise<void> =>
  store.audit.add({ at: now, actor: OPERATOR, address: COMMAND_LINE, action, target, success: true, details });
