import { isatty } from 'node:tty';

/** Whether this process was started in a terminal that has been closed since: nobody reads it any more, and nobody can end it there. */
export const isTerminalGone = (): boolean =>
  (process.stdout.isTTY && !isatty(1)) || (process.stderr.isTTY && !isatty(2));

/** Lets this process go on where nobody reads any more what it says, as in such a terminal: an error of a stream that nobody hears ends it. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}
