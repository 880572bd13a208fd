/** Shorter secrets hide nothing: they would blot out half of every line. */
const SHORTEST = 3;
/** So much of the beginning of a secret gives it away: a message may quote it cut off. */
const BEGINNING = 8;

/**
 * The last @ ahead of the path ends user and password. A password may hold a slash all the same, though that makes it no URL:
 * then what follows the first colon is no port.
 */
const USER_OF_URL = /\b([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/"']+|[^\s/@"':[]*:(?!\d+[/?#])[^\s"']+)@/gi;

/** Names of query parameters whose value is a secret. */
export const SECRET_NAME = /key|token|secret|pass|auth|sig/i;

/** What may be a secret in a text that should be a URL and is none: what stands before an @, and values of its query. */
export function secretsOfNoUrl(text: string): string[] {
  const credentials = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(.+)@/i.exec(text)?.[1];
  const parameters = [...text.matchAll(/[?&]([^=&]*)=([^&#]*)/g)];
  const values = parameters.flatMap(([, name = '', value = '']) => (SECRET_NAME.test(name) ? [value] : []));
  return credentials === undefined ? values : [credentials, ...values];
}

/** Takes secrets out of every text that leaves the collector other than to the device or api they are meant for. */
export class Redactor {
  private secrets: readonly string[] = [];

  /** Remembers a secret, as it is and as a URL or JSON would write it. */
  add(secret: string): void {
    if (secret.length < SHORTEST) return;
    this.remember([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]);
  }

  /** Remembers what another redactor does. */
  addAllOf(other: Redactor): void {
    this.remember(other.secrets);
  }

  /** The text with `***` in place of every secret and of the user and password of every URL. */
  redact(text: string): string {
    const whole = this.secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
    const clean = this.beginnings().reduce((rest, [beginning, ends]) => withoutCutOff(beginning, ends, rest), whole);
    return clean.replace(USER_OF_URL, '$1***@');
  }

  private remember(forms: readonly string[]): void {
    // The longest first: one secret may be part of another.
    this.secrets = [...new Set([...this.secrets, ...forms])].sort((a, b) => b.length - a.length);
  }

  /** How secrets begin, and how those that begin so go on. */
  private beginnings(): [string, string[]][] {
    const ends = new Map<string, string[]>();
    for (const secret of this.secrets) {
      const beginning = secret.slice(0, BEGINNING);
      ends.set(beginning, [...(ends.get(beginning) ?? []), secret.slice(BEGINNING)]);
    }
    return [...ends];
  }
}

/** The text without secrets whose end was cut off: wherever one begins, as far as any that begins so goes on. */
function withoutCutOff(beginning: string, ends: readonly string[], text: string): string {
  const [first = '', ...others] = text.split(beginning);
  return others.reduce(
    (clean, part) => `${clean}***${part.slice(Math.max(...ends.map((end) => same(end, part))))}`,
    first,
  );
}

/** How many characters both begin with. */
function same(a: string, b: string): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length += 1;
  return length;
}
