const SHORTEST = 3;

/** Takes secrets out of every text that leaves the collector other than to the device or api they are meant for. */
export class Redactor {
  private readonly secrets = new Set<string>();

  /** Remembers a secret, as it is and as a URL or JSON would write it. Shorter than 3 characters hides nothing. */
  add(secret: string): void {
    if (secret.length < SHORTEST) return;
    for (const form of [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]) {
      this.secrets.add(form);
    }
  }

  /** The text with `***` in place of every secret and of the user and password of every URL. */
  redact(text: string): string {
    let clean = text;
    // The longest first: one secret may be part of another.
    for (const secret of [...this.secrets].sort((a, b) => b.length - a.length)) clean = clean.replaceAll(secret, '***');
    return clean.replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, '$1***@');
  }
}
