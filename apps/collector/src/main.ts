import { didYouMean, quote } from '@device-metrics/domain';
import { UsageError } from './commands/command.js';
import { commands, help } from './commands/commands.js';
import { SettingsError } from '@device-metrics/settings';
import { readConfigAsStarted } from './config/as-started.js';
import { readConfig } from './config/config.js';
import { version } from './version.js';
import { SqliteUnavailableError } from './upload/spool-file.js';

async function main([name, ...args]: readonly string[]): Promise<void> {
  if (name === '--help' || name === '-h' || name === 'help') return console.log(help);
  if (name === '--version') return console.log(version());
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (name !== undefined && !command) {
    throw new UsageError(`There is no command ${quote(name)}${didYouMean(name, Object.keys(commands))}\n\n${help}`);
  }
  if (command && args.some((arg) => arg === '--help' || arg === '-h')) return console.log(command.usage);
  if (command && args.length > command.most) {
    throw new UsageError(`${name} takes no ${quote(args[command.most])}\n\n${help}`);
  }
  const config = command ? readConfigAsStarted() : readConfig();
  if (!command) {
    let hungUp = false;
    const remember = (): void => void (hungUp = true);
    process.on('SIGHUP', remember);
    const { collect } = await import('./commands/collect.js');
    await collect(config);
    process.off('SIGHUP', remember);
    if (hungUp) process.emit('SIGHUP');
    return;
  }
  const print = (line: string): void => console.log(config.redactor.redact(line));
  try {
    await command.run(config, args, print);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(config.redactor.redact(error.message));
    throw error;
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof SettingsError) {
    console.error([`${error.message}:`, ...error.mistakes.map((mistake) => `  ${mistake}`)].join('\n'));
  } else {
    const said = error instanceof UsageError || error instanceof SqliteUnavailableError;
    console.error(said ? error.message : error);
  }
  process.exit(1);
});
