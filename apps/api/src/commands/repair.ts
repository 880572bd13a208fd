import { existsSync } from 'node:fs';
import { reasonOf } from '@device-metrics/domain';
import {
  DatabaseTakenError,
  repairDatabase,
  takeDatabase,
  type FileLock,
  type RepairReport,
} from '@device-metrics/storage';
import type { ApiSettings } from '../settings.js';
import { onePath, UsageError } from './usage.js';

export const REPAIR_USAGE = `repair FILE
    saves what can be read of a damaged database into a new file; stop the api before. The damaged one stays as it is`;

/** @throws UsageError where there is nothing to repair, or the new file cannot be written. */
export async function repair(
  args: readonly string[],
  { databasePath }: ApiSettings,
  print: (line: string) => void,
): Promise<void> {
  const fresh = onePath('repair', args, REPAIR_USAGE);
  if (!existsSync(databasePath)) throw new UsageError(`There is no ${databasePath}, as DATABASE_PATH says`);
  const lock = alone(databasePath);
  const report = await repairDatabase(databasePath, fresh)
    .catch((error: unknown) => {
      throw new UsageError(`${databasePath} could not be repaired: ${reasonOf(error)}`);
    })
    .finally(() => lock?.close());
  for (const line of reportLines(report)) print(line);
  print(
    `To use it: put ${fresh} in the place of ${databasePath}, delete ${databasePath}-wal and -shm, and start the api.`,
  );
}

/** What an api writes meanwhile would be torn in what is saved. */
function alone(databasePath: string): FileLock | undefined {
  try {
    return takeDatabase(databasePath);
  } catch (error) {
    if (!(error instanceof DatabaseTakenError)) throw error;
    throw new UsageError(`The api runs: stop it before, as it has ${databasePath} open`);
  }
}

function* reportLines(report: RepairReport): Generator<string> {
  const { devices, series, samples, rows, brokenTables, namelessDevices, damaged } = report;
  yield `Saved: ${devices} devices, ${series} series, ${samples} samples.`;
  yield `Rows: ${[...rows].map(([table, count]) => `${table} ${count}`).join(', ') || 'none'}.`;
  if (brokenTables.length === 0) yield 'Every table could be read from its beginning to its end.';
  else yield `Not whole, so that something may be missing: ${brokenTables.join(', ')}.`;
  if (namelessDevices > 0) yield `${namelessDevices} devices lost their name; they are called repaired-device-N now.`;
  if (damaged > 0) yield `${damaged} pieces were damaged in themselves; they are set aside in the table damaged.`;
}
