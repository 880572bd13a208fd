import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import type { ProblemDto, FieldErrorDto } from '@device-metrics/contract';
import { PROBLEM_TYPES, problemUri, type ProblemType } from './problem-types.js';

export const PROBLEM_JSON = 'application/problem+json; charset=utf-8';

interface Extras {
  /** Each wrong field of invalid input. */
  readonly errors?: FieldErrorDto[];
  /** Further members of the body, as RFC 9457 allows. */
  readonly extensions?: Record<string, unknown>;
  /** Seconds after which the client may try again. */
  readonly retryAfter?: number;
  /** Where it is another one than the type's: what a framework refuses. */
  readonly status?: number;
}

/** An error that the client sees as `application/problem+json`. */
export class Problem extends HttpException {
  constructor(
    readonly type: ProblemType,
    detail: string,
    readonly extras: Extras = {},
  ) {
    super(detail, extras.status ?? PROBLEM_TYPES[type]);
  }

  body(): ProblemDto {
    return {
      type: problemUri(this.type),
      title: STATUS_CODES[this.getStatus()] ?? 'Error',
      status: this.getStatus(),
      detail: this.message,
      ...(this.extras.errors && { errors: this.extras.errors }),
      ...this.extras.extensions,
    };
  }
}

/** The problem of input with wrong fields; its detail names them all. */
export function invalidInput(errors: FieldErrorDto[], extensions?: Record<string, unknown>): Problem {
  const shown = errors.slice(0, 5).map(({ field, reason }) => `${field} ${reason}`);
  const rest = errors.length - shown.length;
  const detail = shown.join('; ') + (rest > 0 ? `; and ${rest} more` : '');
  return new Problem('invalid-input', detail, { errors, ...(extensions && { extensions }) });
}
