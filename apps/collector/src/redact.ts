/** Shorter secrets hide nothing: they would blot out half of every line. */
const SHORTEST = 3;
/** So much of the beginning of a secret gives it away: a message may quote it cut off. */
const BEGINNING = 8;

/** Takes secrets out of every text that leaves the collector other than to the device or api they are meant for. */
export class Redactor {
  private secrets: readonly string[] = [];

  /** Remembers a secret, as it is and as a URL or JSON would write it. */
  add(secret: string): void {
    if (secret.length < SHORTEST) return;
    const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
    // The longest first: one secret may be part of another.
    this.secrets = [...new Set([...this.secrets, ...forms])].sort((a, b) => b.length - a.length);
  }

  /** The text with `***` in place of every secret and of the user and password of every URL. */
  redact(text: string): string {
    const clean = this.secrets.reduce((rest, secret) => without(secret, rest), text);
    return clean.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, '$1***@');
  }
}

/** The text without a secret, and without what is left of it where the end of it was cut off. */
function without(secret: string, text: string): string {
  const [first = '', ...others] = text.split(secret.slice(0, BEGINNING));
  const end = secret.slice(BEGINNING);
  return others.reduce((clean, part) => {
    let same = 0;
    while (same < end.length && part[same] === end[same]) same += 1;
    return `${clean}***${part.slice(same)}`;
  }, first);
}
