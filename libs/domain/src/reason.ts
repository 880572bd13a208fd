/** Why something failed, for a log or an answer: the message of what was thrown, or else what was thrown as a text. */
export function reasonOf(error: unknown): string {
  const { message } = Object(error) as { message?: unknown };
  return typeof message === 'string' ? message : String(error);
}
