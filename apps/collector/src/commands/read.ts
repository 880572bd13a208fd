import { didYouMean, quote, showDuration } from '@device-metrics/domain';
import type { Config } from '../config/config.js';
import { SourceRunner } from '../run/run-source.js';
import { UsageError, type Print } from './command.js';

export async function read({ sources }: Config, [name = '']: readonly string[], print: Print): Promise<void> {
  const config = sources.find((source) => source.name === name);
  if (!config) {
    const names = sources.map((source) => source.name);
    const wrong = name === '' ? 'read needs a source' : `There is no source ${quote(name)}${didYouMean(name, names)}`;
    throw new UsageError(`${wrong.replace(/[^?]$/, '$&.')} There are: ${names.join(', ')}`);
  }
  const notes: string[] = [];
  const say = (message: string): void => void notes.push(message);
  const source = config.create({ say });
  const runner = new SourceRunner(source, { ...config, mostNamed: Infinity }, { log: say, warn: say });
  for (const sample of (await runner.run(Date.now())) ?? []) print(JSON.stringify(sample));
  await runner.close();
  const { success = false, duration = 0, readings = 0, rejected = [] } = runner.outcome ?? {};
  if (!success) throw new UsageError(notes.join('\n'));
  for (const note of notes) print(`# ${note}`);
  const inPart = rejected.length > 0 ? `; ${rejected.length} parts could not be read or sent` : '';
  print(`# ${readings} readings in ${showDuration(duration)}${inPart}`);
}
