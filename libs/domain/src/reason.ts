/** Node's own advice on a certificate; what this program's user can do stands in its settings. */
const ADVICE = /; if the root CA is installed locally, try running Node\.js with --use-system-ca$/;

/** Why something failed, for a log or an answer: the message of what was thrown, or else what was thrown as a text. */
export function reasonOf(error: unknown): string {
  const { message } = Object(error) as { message?: unknown };
  return typeof message === 'string' ? message.replace(ADVICE, '') : String(error);
}
