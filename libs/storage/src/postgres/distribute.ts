import type { DataSource } from 'typeorm';
import { DatabaseRefusedError } from './data-source.js';

/** Tables of samples, by the column that says on which node a row is; those of a line lie together. */
const DISTRIBUTED: readonly (readonly [table: string, column: string, beside?: string])[] = [
  ['piece', 'device_id'],
  ['series', 'device_id', 'piece'],
  ['latest', 'device_id', 'piece'],
  ['journal', 'writer'],
  ['writer', 'id', 'journal'],
];

/** Small tables that every node has. */
const REFERENCE =
  'device device_alias device_merge series_merge lease catalogue_state catalogue_change id_counter'.split(' ');

/**
 * Spreads the tables of samples over the nodes of Citus, by device, and puts the small ones on every node. What is done already
 * stays.
 *
 * @throws DatabaseRefusedError where there is no Citus.
 */
export async function distributeTables(dataSource: DataSource, say: (line: string) => void): Promise<void> {
  const [citus] = await dataSource.query<{ version: string }[]>(
    `SELECT extversion AS version FROM pg_extension WHERE extname = 'citus'`,
  );
  if (!citus) {
    throw new DatabaseRefusedError(
      'the extension citus is not in this database: run "CREATE EXTENSION citus" on the coordinator and its workers, add the workers with citus_add_node, and try again',
    );
  }
  const [{ nodes }] = await dataSource.query<{ nodes: number }[]>(
    `SELECT count(*) AS nodes FROM pg_dist_node WHERE noderole = 'primary' AND shouldhaveshards`,
  );
  say(`Citus ${citus.version} with ${nodes} nodes that hold shards`);
  const done = new Set(
    (
      await dataSource.query<{ name: string }[]>('SELECT logicalrelid::regclass::text AS name FROM pg_dist_partition')
    ).map(({ name }) => name.replaceAll('"', '')),
  );
  for (const table of REFERENCE) {
    if (done.has(table)) continue;
    await dataSource.query('SELECT create_reference_table($1)', [table]);
    say(`${table} is on every node`);
  }
  for (const [table, column, beside] of DISTRIBUTED) {
    if (done.has(table)) continue;
    await dataSource.query('SELECT create_distributed_table($1, $2, colocate_with => $3)', [
      table,
      column,
      beside ?? 'none',
    ]);
    say(`${table} is spread by ${column}`);
  }
  await compileNothing(dataSource, say);
}

/**
 * A worker compiles each small query of a shard where it knows nothing of the tables yet: a quarter of a second for what takes a
 * millisecond. Neither what a connection sets nor `ALTER DATABASE` on the coordinator reaches it. This holds for connections that are
 * made from now on.
 */
async function compileNothing(dataSource: DataSource, say: (line: string) => void): Promise<void> {
  const answers = await dataSource.query<{ node: string; success: boolean; result: string }[]>(
    `SELECT nodename || ':' || nodeport AS node, success, result FROM run_command_on_all_nodes(
       format('ALTER DATABASE %I SET jit = off', current_database())) JOIN pg_dist_node USING (nodeid) ORDER BY 1`,
  );
  const failed = answers.filter(({ success }) => !success);
  for (const { node, result } of failed) {
    say(`${node} goes on to compile statements, which makes small ones slow: ${result}; set jit = off there`);
  }
  if (failed.length === 0) say('statements are not compiled on any node');
}
