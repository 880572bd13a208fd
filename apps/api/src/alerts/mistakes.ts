import { invalidInput } from '../http/problem.js';
import { MistakesError } from './reader.js';

/** @throws Problem with every mistake, where `read` throws MistakesError. @param within what the paths begin with. */
export function mistakesAsProblem<T>(read: () => T, within = ''): T {
  try {
    return read();
  } catch (error) {
    throw problemOfMistakes(error, within);
  }
}

/** What is thrown to the caller: mistakes as a problem that has them all, anything else as it is. */
export function problemOfMistakes(error: unknown, within = ''): unknown {
  if (!(error instanceof MistakesError)) return error;
  return invalidInput(
    error.mistakes.map(({ field, reason }) => ({ field: [within, field].filter(Boolean).join('.'), reason })),
  );
}
