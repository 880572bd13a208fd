/** Why something failed, for a log or an answer: the message of an error; whatever else was thrown as a text. */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
