import { quote } from '@device-metrics/domain';
import type { Config } from '../config/config.js';
import type { Quarantined } from '../upload/spool.js';
import { UsageError, type Print } from './command.js';
import { withSpool } from './with-spool.js';

export function quarantine(config: Config, [action, ...numbers]: readonly string[], print: Print): void {
  if (action !== 'list' && action !== 'retry' && action !== 'drop') {
    throw new UsageError(`quarantine needs list, retry or drop, got ${quote(action)}`);
  }
  withSpool(config, (spool) => {
    const batches = spool.quarantined();
    if (batches.length === 0 && (action === 'list' || numbers.includes('all'))) {
      return print('Nothing is in quarantine');
    }
    if (action === 'list') return listQuarantined(batches, print);
    if (numbers.length === 0) throw new UsageError(`quarantine ${action} needs the numbers of batches, or all`);
    const chosen = numbers.includes('all') ? batches.map(({ sequence }) => String(sequence)) : numbers;
    for (const number of chosen) {
      const done = action === 'retry' ? spool.release(Number(number)) : spool.drop(Number(number));
      if (!done) throw new UsageError(`There is no batch ${quote(number)} in quarantine`);
      print(action === 'retry' ? `${number} waits for upload again` : `${number} is deleted`);
    }
  });
}

export function listQuarantined(batches: readonly Quarantined[], print: Print): void {
  for (const { sequence, samples, created, reason, example } of batches) {
    const what = example ? `${example.device_name} ${example.metric_name} ${example.value}` : 'unreadable';
    print(`${sequence}  ${new Date(created).toISOString()}  ${samples} samples, as ${what}: ${reason}`);
  }
}
