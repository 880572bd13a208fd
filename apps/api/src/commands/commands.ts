import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { didYouMean, quote, reasonOf } from '@device-metrics/domain';
import {
  asUnavailable,
  DatabaseRefusedError,
  dataSourceOptions,
  openAccessStore,
  openDataSource,
  StoreUnavailableError,
} from '@device-metrics/storage';
import { repairHintFor } from '../admin/repair-hint.js';
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

type Print = (line: string) => void;

/** These must not open the database as the api does; `args` are what stands after the name. */
interface FileCommand {
  readonly usage: string;
  run(args: readonly string[], settings: () => ApiSettings, print: Print): void | Promise<void>;
}

const FILE_COMMANDS: Readonly<Record<string, FileCommand>> = {
  doctor: {
    usage: DOCTOR_USAGE,
    run(args, settings, print) {
      takesNothing('doctor', args, DOCTOR_USAGE);
      return doctor(settings(), Date.now(), print);
    },
  },
  healthy: {
    usage: HEALTHY_USAGE,
    async run(args, settings, print) {
      takesNothing('healthy', args, HEALTHY_USAGE);
      print(await answers(settings()));
    },
  },
  check: { usage: CHECK_USAGE, run: (args, _, print) => check(args, print) },
  restore: {
    usage: RESTORE_USAGE,
    run: (args, settings, print) => restore(args, ofSqlite('restore', settings()), Date.now(), print),
  },
  move: { usage: MOVE_USAGE, run: (args, settings, print) => move(args, ofSqlite('move', settings()), print) },
  database: { usage: DATABASE_USAGE, run: (args, settings, print) => database(args, settings(), print) },
  repair: { usage: REPAIR_USAGE, run: (args, settings, print) => repair(args, ofSqlite('repair', settings()), print) },
};

function takesNothing(name: string, args: readonly string[], usage: string): void {
  if (args.length > 0) throw new UsageError(`${name} takes no ${quote(args[0])}:\n  ${usage}`);
}

function ofSqlite(name: string, settings: ApiSettings): ApiSettings {
  if (settings.databaseUrl === '') return settings;
  throw new UsageError(`${name} is for SQLite; DATABASE_URL is PostgreSQL, which has pg_dump and pg_restore`);
}

const help = `Without a command the api runs until it gets SIGTERM. Commands work on the database of DATABASE_PATH, also while the api
runs, which takes up within a second what they change:
${[...Object.values(COMMANDS), ...Object.values(FILE_COMMANDS)]
  .map(({ usage }) => `  ${usage.replaceAll('\n', '\n  ')}`)
  .join('\n')}

Options:
  --new                          begin with an empty database where there was one before
  --version                      print the version

Settings come from the environment or a file .env in the working folder; .env.example explains them.`;

const isHelp = (word: string | undefined): boolean => word === '--help' || word === '-h';

/**
 * Runs the command that the arguments name.
 *
 * @param readSettings is called by what needs them: help is there whatever is wrong in them.
 * @throws UsageError when there is none, or it cannot be done.
 */
export async function runCommand(
  argv: readonly string[],
  readSettings: () => ApiSettings,
  print: Print,
): Promise<void> {
  try {
    await find(argv, readSettings, print);
  } catch (error) {
    throw inWords(error, readSettings);
  }
}

/** What a database and the system refuse, such as a file that this user may not read, as a UsageError; else what came. */
function inWords(error: unknown, readSettings: () => ApiSettings): unknown {
  const { code, syscall } = (error ?? {}) as { code?: unknown; syscall?: unknown };
  if (typeof code !== 'string') return error;
  const { databasePath, databaseUrl } = readSettings();
  const away = databaseUrl === '' ? undefined : asUnavailable(error);
  if (away instanceof StoreUnavailableError) return new UsageError(`DATABASE_URL cannot be used: ${away.message}`);
  if (code.startsWith('SQLITE_')) {
    return new UsageError(`DATABASE_PATH ${databasePath} cannot be used: ${reasonOf(error)}${repairHintFor(error)}`);
  }
  return syscall === undefined ? error : new UsageError(reasonOf(error));
}

async function find(argv: readonly string[], readSettings: () => ApiSettings, print: Print): Promise<void> {
  const [one = '', two = '', ...more] = argv;
  if (isHelp(one) || (one === 'help' && two === '')) return print(help);
  if (one === 'help') return find([two, ...more, '--help'], readSettings, print);
  if (Object.hasOwn(FILE_COMMANDS, one)) {
    const ofFiles = FILE_COMMANDS[one] as FileCommand;
    const rest = argv.slice(1);
    return rest.some(isHelp) ? print(ofFiles.usage) : ofFiles.run(rest, readSettings, print);
  }
  const name = Object.hasOwn(COMMANDS, `${one} ${two}`) ? `${one} ${two}` : one;
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const ofName = Object.entries(COMMANDS).filter(([known]) => known.startsWith(`${one} `));
  if (!command && ofName.length > 0 && (two === '' || argv.some(isHelp))) {
    return print(ofName.map(([, { usage }]) => usage).join('\n'));
  }
  if (!command) {
    const said = argv.filter((word) => !isHelp(word)).join(' ');
    const known = [...Object.keys(COMMANDS), ...Object.keys(FILE_COMMANDS)];
    throw new UsageError(`There is no command ${quote(said)}${didYouMean(said, known)}\n\n${help}`);
  }
  const words = argv.slice(name.split(' ').length);
  if (words.some(isHelp)) return print(command.usage);
  const { values, positionals } = parse(command, words);
  const [least, most] = command.args;
  if (positionals.length < least || positionals.length > most) {
    throw new UsageError(`${name} takes other arguments:\n  ${command.usage}`);
  }
  const settings = readSettings();
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
