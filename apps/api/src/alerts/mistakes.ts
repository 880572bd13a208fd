import { invalidInput } from '../http/problem.js';
import { MistakesError } from './reader.js';

/** @throws Problem with every mistake, where `read` throws MistakesError. @param within what the paths begin with. */
export function mistakesAsProblem<T>(read: () => T, within = ''): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error;
    throw invalidInput(
      error.mistakes.map(({ field, reason }) => ({ field: [within, field].filter(Boolean).join('.'), reason })),
    );
  }
}
