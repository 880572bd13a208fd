/** Of calls that take no parameters: whatever comes is unknown, and so a mistake. */
export class NoQuery {}

/** For `ApiProblems`. */
export const NO_PARAMETERS = { 400: 'verbose is unknown; allowed are none' };
