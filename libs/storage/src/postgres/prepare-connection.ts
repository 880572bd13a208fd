import type pg from 'pg';

/** How long a transaction may wait for its process, ms: one that was stopped does not come back to it. */
const LONGEST_PAUSE = 10_000;

/** What holds on each connection, whatever is set for the server, the database or the user. */
const SETTINGS = `
  -- To compile a statement takes 40 ms, and none here runs that long.
  SET jit = off;
  -- A process that stops within a transaction is not to keep the others waiting for its locks.
  SET idle_in_transaction_session_timeout = ${LONGEST_PAUSE};
  -- A pool ends by itself what it does not need; what is ended under its hands may have been given a statement just then.
  SET idle_session_timeout = 0;
  -- Who waits for a lock sees what was committed meanwhile, and goes on.
  SET default_transaction_isolation = 'read committed';
  -- Bytes and numbers come as they are.
  SET bytea_output = hex;
  SET extra_float_digits = 1;
  -- Rows that the user may not see are an error, and not nothing.
  SET row_security = off;
  -- A commit waits for the disk; where more than that is asked for, it stays.
  SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')`;

/** Makes a new connection of a pool ready, as its option `verify`. */
export function prepareConnection(client: pg.PoolClient, done: (error?: Error) => void): void {
  client.query(SETTINGS).then(
    () => done(),
    (error: unknown) => done(error as Error),
  );
}
