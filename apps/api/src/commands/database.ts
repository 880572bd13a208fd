import { parseArgs } from 'node:util';
import { quote, reasonOf } from '@device-metrics/domain';
import {
  assertReadable,
  copyDatabase,
  DatabaseRefusedError,
  dataSourceOptions,
  distributeTables,
  isPostgresUrl,
  openDataSource,
  schemaStateOf,
  shownUrl,
} from '@device-metrics/storage';
import type { ApiSettings } from '../settings.js';
import { UsageError } from './usage.js';

export const DATABASE_USAGE = `database copy --from sqlite:FILE --to postgres://…
    copies everything to another database, either way round, while the api runs on the first; run it again to catch up
database migrate
    brings the tables of DATABASE_URL up to this version; stop all api processes of the version before
database distribute
    spreads the tables of DATABASE_URL over the nodes of Citus`;

type Print = (line: string) => void;

/** @throws UsageError where it cannot be done. */
export async function database(args: readonly string[], settings: ApiSettings, print: Print): Promise<void> {
  const [what, ...rest] = args;
  try {
    if (what === 'copy') return await copy(rest, print);
    if (rest.length === 0 && what === 'migrate') return await migrate(settings, print);
    if (rest.length === 0 && what === 'distribute') return await distribute(settings, print);
  } catch (error) {
    throw error instanceof DatabaseRefusedError ? new UsageError(error.message) : error;
  }
  throw new UsageError(`database takes other arguments:\n  ${DATABASE_USAGE.replaceAll('\n', '\n  ')}`);
}

async function copy(args: readonly string[], print: Print): Promise<void> {
  const addresses = addressesOf(args);
  const [from, to] = addresses.map((address) => address.replace(/^sqlite:(\/\/)?/, ''));
  if (from === undefined || to === undefined || from === to)
    throw new UsageError('--from and --to must be two databases');
  if (!isPostgresUrl(from)) assertDatabase(from);
  const report = await copyDatabase(from, to, print).catch((error: unknown) => {
    if (error instanceof DatabaseRefusedError) throw error;
    throw new UsageError(`${shown(to)} ${reasonOf(error)}`);
  });
  const { devices, series, written, kept, samples, different } = report;
  print(`Copied ${devices} devices, ${series} series; ${written} chunks and parts written, ${kept} were there.`);
  print(`${samples} samples are the same in both.`);
  if (different.length === 0)
    return print(`Every series is the same. Stop the api, copy once more, and start it on the other.`);
  for (const one of different.slice(0, 20)) print(`Not the same: ${one}`);
  throw new UsageError(
    `${different.length} series are not the same: what has come for them since the copy began is missing; copy once more`,
  );
}

/** @throws UsageError where a file is no database of ours. */
function assertDatabase(from: string): void {
  try {
    assertReadable(from);
    if (!schemaStateOf(from)) throw new Error('it is no database of Device Metrics');
  } catch (error) {
    throw new UsageError(`--from ${quote(from)}: ${reasonOf(error)}`);
  }
}

function addressesOf(args: readonly string[]): [string, string] {
  try {
    const { values } = parseArgs({ args: [...args], options: { from: { type: 'string' }, to: { type: 'string' } } });
    if (values.from === undefined || values.to === undefined) throw new Error('--from and --to are needed');
    return [values.from, values.to];
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n  ${DATABASE_USAGE.split('\n')[0] ?? ''}`);
  }
}

const shown = (address: string): string => (isPostgresUrl(address) ? shownUrl(address) : address);

async function migrate(settings: ApiSettings, print: Print): Promise<void> {
  const dataSource = await openDataSource(dataSourceOptions(urlOf(settings)), true);
  await dataSource.destroy();
  print('The tables are those of this version.');
}

async function distribute(settings: ApiSettings, print: Print): Promise<void> {
  const dataSource = await openDataSource(dataSourceOptions(urlOf(settings)));
  try {
    await distributeTables(dataSource, print);
  } finally {
    await dataSource.destroy();
  }
}

function urlOf({ databaseUrl }: ApiSettings): string {
  if (databaseUrl === '') throw new UsageError('DATABASE_URL must name a PostgreSQL database for this');
  return databaseUrl;
}
