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

  /**
   * The answers to statements with semicolons between them.
   *
   * @param database that the sender means to write to: some write to none that is not shown.
   */
  answer(query: string, database = ''): { readonly results: readonly Result[] } {
    if (database !== '') this.remember(database);
    const statements = statementsOf(query);
    return { results: statements.map((statement, id) => ({ statement_id: id, ...this.resultOf(statement) })) };
  }

  private remember(name: string): void {
    if (this.databases.size < MOST_NAMES) this.databases.add(name.slice(0, 128));
  }

  private resultOf(statement: string): Result {
    const [, quoted, plain] =
      /^create\s+database\s+(?:if\s+not\s+exists\s+)?(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))/i.exec(statement) ?? [];
    const name = quoted ?? plain;
    if (name !== undefined) {
      this.remember(name);
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

/** What stands between semicolons that are not in quotes. */
function statementsOf(query: string): string[] {
  const statements: string[] = [];
  let start = 0;
  let quote = '';
  for (let at = 0; at <= query.length; at += 1) {
    const letter = query[at] ?? '';
    if (quote !== '') {
      if (letter === '\\') at += 1;
      else if (letter === quote) quote = '';
    } else if (letter === '"' || letter === "'") {
      quote = letter;
    }
    if (at < query.length && (letter !== ';' || quote !== '')) continue;
    const statement = query.slice(start, at).trim();
    if (statement !== '') statements.push(statement);
    start = at + 1;
  }
  return statements;
}
