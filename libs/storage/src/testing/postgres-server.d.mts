/** Where its programs are; undefined where it is not installed. */
export function findPostgres(): string | undefined;
