/** Of calls that take no parameters: whatever comes is unknown, and so a mistake. */
export class NoQuery {}
