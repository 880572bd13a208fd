import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { quote } from '@device-metrics/domain';
import { DatabaseRefusedError, dataSourceOptions, openAccessStore, openDataSource } from '@device-metrics/storage';
import { databaseOf, type ApiSettings } from '../settings.js';
import { audit } from './audit.js';
import { collectorCommands } from './collector.js';
import { invite } from './invite.js';
import type { Command, Work } from './command.js';
import { check, CHECK_USAGE } from './check.js';
import { database, DATABASE_USAGE } from './database.js';
import { answers, doctor, DOCTOR_USAGE, HEALTHY_USAGE } from './doctor.js';
import { move, MOVE_USAGE } from './move.js';
import { repair, REPAIR_USAGE } from './repair.js';
import { restore, RESTORE_USAGE } from './restore.js';
import { tokenCommands } from './token.js';
import { userCommands } from './user.js';
import { UsageError } from './usage.js';

/** Names have one word or two. */
const COMMANDS: Readonly<Record<string, Command>> = {
  invite,
  ...userCommands,
  ...tokenCommands,
  ...collectorCommands,
  audit,
};

const OF_FILES = [DOCTOR_USAGE, HEALTHY_USAGE, CHECK_USAGE, RESTORE_USAGE, MOVE_USAGE, DATABASE_USAGE, REPAIR_USAGE];

const help = `Without a command the api runs until it gets SIGTERM. Commands work on the database of DATABASE_PATH, also while the api
runs, which takes up within a second what they change:
${[...Object.values(COMMANDS), ...OF_FILES.map((usage) => ({ usage }))]
  .map(({ usage }) => `  ${usage.replaceAll('\n', '\n  ')}`)
  .join('\n')}

Options:
  --new                          begin with an empty database where there was one before
  --version                      print the version

Settings come from the environment or a file .env in the working folder; .env.example explains them.`;

/**
 * Runs the command that the arguments name.
 *
 * @throws UsageError when there is none, or it cannot be done.
 */
export async function runCommand(
  argv: readonly string[],
  settings: ApiSettings,
  print: (line: string) => void,
): Promise<void> {
  if (['help', '--help', '-h'].includes(argv[0] ?? '')) return print(help);
  // These must not open the database as the api does.
  const rest = argv.slice(1);
  if (argv[0] === 'repair') return repair(rest, settings, print);
  if (argv[0] === 'check') return check(rest, print);
  if (['restore', 'move'].includes(argv[0] ?? '') && settings.databaseUrl !== '') {
    throw new UsageError(`${argv[0]} is for SQLite; DATABASE_URL is PostgreSQL, which has pg_dump and pg_restore`);
  }
  if (argv[0] === 'restore') return restore(rest, settings, Date.now(), print);
  if (argv[0] === 'move') return move(rest, settings, print);
  if (argv[0] === 'healthy') return print(await answers(settings));
  if (argv[0] === 'doctor') return doctor(settings, Date.now(), print);
  if (argv[0] === 'database') return database(rest, settings, print);
  const [one = '', two = ''] = argv;
  const name = Object.hasOwn(COMMANDS, `${one} ${two}`) ? `${one} ${two}` : one;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command) throw new UsageError(`There is no command ${quote(name)}\n\n${help}`);
  const words = argv.slice(name.split(' ').length);
  if (words.some((word) => word === '--help' || word === '-h')) return print(command.usage);
  const { values, positionals } = parse(command, words);
  const [least, most] = command.args;
  if (positionals.length < least || positionals.length > most) {
    throw new UsageError(`${name} takes other arguments:\n  ${command.usage}`);
  }
  const { databasePath, databaseUrl } = settings;
  const isThere = databaseUrl !== '' || existsSync(databasePath);
  const dataSource = await openDataSource(dataSourceOptions(databaseOf(settings))).catch((error: unknown) => {
    throw error instanceof DatabaseRefusedError ? new UsageError(`DATABASE_URL ${error.message}`) : error;
  });
  try {
    if (!isThere) print(`# There was no ${databasePath}; it is made`);
    const store = openAccessStore(dataSource);
    await command.run({ store, settings, args: positionals, options: values, now: Date.now(), print });
  } finally {
    await dataSource.destroy();
  }
}

function parse(command: Command, args: readonly string[]): { values: Work['options']; positionals: string[] } {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: command.options ?? {},
      allowPositionals: true,
    });
    return { values: values as Work['options'], positionals };
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n  ${command.usage}`);
  }
}
