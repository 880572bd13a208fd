import { reasonOf } from '@device-metrics/domain';
import type { AlertDocument, AlertDocumentKind, AlertStore } from '@device-metrics/storage';

/** Where something comes from: of one name, a later origin goes before an earlier one. */
export type Origin = 'default' | 'database' | 'file';

/** As it is written, in JSON or YAML. */
export type Document = Readonly<Record<string, unknown>>;

export interface Known<T> {
  readonly name: string;
  readonly value: T;
  readonly document: Document;
  readonly origin: Origin;
}

/** All rules, channels, routes and the like that hold: those from the start, of the database, and of `ALERTS_FILE`. */
export class Registry<T> {
  private known: readonly Known<T>[] = [];
  private problems: ReadonlySet<string> = new Set();

  constructor(
    readonly kind: AlertDocumentKind,
    /** @throws MistakesError when the document cannot be used. */
    readonly parse: (document: unknown) => T,
    private readonly store: AlertStore,
    private readonly given: { readonly defaults?: readonly Document[]; readonly file?: readonly Document[] },
    /** Hears of what is in the database and cannot be read, which another version may have written. */
    private readonly onProblem: (problem: string) => void,
  ) {}

  /** By name. */
  list(): readonly Known<T>[] {
    return this.known;
  }

  values(): T[] {
    return this.known.map(({ value }) => value);
  }

  get(name: string): Known<T> | undefined {
    return this.known.find((one) => one.name === name);
  }

  /** Writes documents to the database, in place of those of the same names. */
  async put(documents: readonly Document[], now: number): Promise<void> {
    const { kind } = this;
    await this.store.put(documents.map((body) => ({ kind, name: String(body['name']), body, changedAt: now })));
    await this.reload();
  }

  /** Takes one out of the database; a default of this name holds again. False when it is not there. */
  async remove(name: string): Promise<boolean> {
    const removed = await this.store.remove(this.kind, name);
    await this.reload();
    return removed;
  }

  async reload(): Promise<void> {
    this.take(await this.store.documents(this.kind));
  }

  /** Takes in what the database has of this kind now. */
  take(documents: readonly AlertDocument[]): void {
    const known = new Map<string, Known<T>>();
    const problems = new Set<string>();
    const before = new Map(this.known.map((one) => [one.name, one]));
    const add = (document: Document, origin: Origin): void => {
      const name = String(document['name']);
      try {
        // What has not changed stays the same object: what is known of it by that stays known.
        const same = before.get(name);
        const isSame = same?.origin === origin && JSON.stringify(same.document) === JSON.stringify(document);
        known.set(name, isSame ? same : { name, value: this.parse(document), document, origin });
      } catch (error) {
        const problem = `${this.kind} ${JSON.stringify(name)} of the ${origin}: ${reasonOf(error)}`;
        problems.add(problem);
        if (!this.problems.has(problem)) this.onProblem(problem);
      }
    };
    for (const document of this.given.defaults ?? []) add(document, 'default');
    for (const { body } of documents) add(body as Document, 'database');
    for (const document of this.given.file ?? []) add(document, 'file');
    this.problems = problems;
    this.known = [...known.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
