import { reasonOf } from '@device-metrics/domain';
import { checkDatabase, schemaStateOf } from '@device-metrics/storage';
import { onePath, UsageError } from './usage.js';

export const CHECK_USAGE = `check FILE
    opens a backup, or any database of Device Metrics, and says whether it is whole`;

/** @throws UsageError where it is not whole. */
export function check(args: readonly string[], print: (line: string) => void): void {
  const file = onePath('check', args, CHECK_USAGE);
  try {
    const { devices, series } = checkDatabase(file);
    const isNewer = (schemaStateOf(file)?.unknown.length ?? 0) > 0;
    const newer = isNewer ? '; it is of a newer version than this' : '';
    print(`${file} is whole: ${devices} devices, ${series} series${newer}`);
  } catch (error) {
    throw new UsageError(`${file} is not whole: ${reasonOf(error)}`);
  }
}
