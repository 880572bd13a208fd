/** A statement's answer, in the words of InfluxDB 1. */
type Result = Readonly<Record<string, unknown>>;

/** Names that are remembered. */
const MOST_NAMES = 1_000;

/**
 * Answers what senders ask before they write. A database is nothing here but a name that they give: it is there as soon as
 * they ask for it.
 */
export class SenderQueries {
  private readonly databases = new Set<string>();

  /** The answers to statements with semicolons between them. */
  answer(query: string): { readonly results: readonly Result[] } {
    const statements = query.split(';').filter((statement) => statement.trim() !== '');
    return { results: statements.map((statement, id) => ({ statement_id: id, ...this.resultOf(statement.trim()) })) };
  }

  private resultOf(statement: string): Result {
    const [, quoted, plain] = /^create\s+database\s+(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))/i.exec(statement) ?? [];
    const name = quoted ?? plain;
    if (name !== undefined) {
      if (this.databases.size < MOST_NAMES) this.databases.add(name.slice(0, 128));
      return {};
    }
    if (/^(create|alter|drop)\s+(retention\s+policy|user|continuous\s+query)\b|^(grant|revoke)\s/i.test(statement))
      return {};
    if (/^show\s+databases$/i.test(statement)) {
      return { series: [{ name: 'databases', columns: ['name'], values: [...this.databases].map((one) => [one]) }] };
    }
    if (/^show\s+/i.test(statement)) return {};
    return {
      error: "this server takes samples in by InfluxDB's protocol; it answers questions at /api/v1/reports, see /docs",
    };
  }
}
