import { reasonOf } from '@device-metrics/domain';

/** Takes what a text has of lines that cannot be read; the others are read all the same. */
export type RejectLine = (part: string, reason: string) => void;

/** How a text is parsed. */
export interface ParseOptions {
  /** Takes each line that is wrong, such as `line 7`. Without it the first one is an error. */
  readonly reject?: RejectLine | undefined;
  /** Whether samples have the times that the text gives them. */
  readonly timestamps?: boolean | undefined;
}

/** A line that the format does not allow; the message begins with its number. */
export class LineError extends Error {
  override readonly name = 'LineError';
}

/**
 * Runs what reads a line.
 *
 * @throws LineError where that throws, and nobody takes the line.
 */
export function readLine(number: number, read: () => void, reject: RejectLine | undefined): void {
  try {
    read();
  } catch (error) {
    if (!reject) throw new LineError(`line ${number}: ${reasonOf(error)}`, { cause: error });
    reject(`line ${number}`, reasonOf(error));
  }
}
