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

/** What holds nothing, and why: another version may have written it. */
export interface Unusable {
  readonly name: string;
  readonly document: Document;
  readonly origin: Origin;
  readonly reason: string;
}

/** All rules, channels, routes and the like that hold: those from the start, of the database, and of `ALERTS_FILE`. */
export class Registry<T> {
  private known: readonly Known<T>[] = [];
  private byName: ReadonlyMap<string, Known<T>> = new Map();
  private wrong: readonly Unusable[] = [];

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

  /** What is in the database, and cannot be used. */
  unusable(): readonly Unusable[] {
    return this.wrong;
  }

  /** As it is written under a name, whether it can be used or not. */
  documentOf(name: string): Document | undefined {
    return (this.wrong.find((one) => one.name === name) ?? this.get(name))?.document;
  }

  get(name: string): Known<T> | undefined {
    return this.byName.get(name);
  }

  /** Writes documents to the database, in place of those of the same names. */
  async put(documents: readonly Document[], now: number): Promise<void> {
    const { kind } = this;
    await this.store.put(documents.map((body) => ({ kind, name: String(body['name']), body, changedAt: now })));
    await this.reload();
  }

  /** Writes one in place of what is known here under its name; false where the database has something else by now. */
  async replace(document: Document, now: number): Promise<boolean> {
    const name = String(document['name']);
    const before = this.wrong.find((one) => one.name === name) ?? this.get(name);
    const replaced = await this.store.replace(
      this.kind,
      { name, body: document, changedAt: now },
      before?.origin === 'database' ? before.document : undefined,
    );
    await this.reload();
    return replaced;
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
    const wrong: Unusable[] = [];
    const said = new Set(this.wrong.map(problemOf));
    const before = this.byName;
    const add = (document: Document, origin: Origin): void => {
      const name = String(document['name']);
      try {
        // What has not changed stays the same object: what is known of it by that stays known.
        const same = before.get(name);
        const isSame = same?.origin === origin && JSON.stringify(same.document) === JSON.stringify(document);
        known.set(name, isSame ? same : { name, value: this.parse(document), document, origin });
      } catch (error) {
        const unusable = { name, document, origin, reason: reasonOf(error) };
        wrong.push(unusable);
        const problem = problemOf(unusable);
        if (!said.has(problem)) this.onProblem(`${this.kind} ${problem}`);
      }
    };
    for (const document of this.given.defaults ?? []) add(document, 'default');
    for (const { body } of documents) add(body as Document, 'database');
    for (const document of this.given.file ?? []) add(document, 'file');
    this.wrong = wrong;
    this.byName = known;
    this.known = [...known.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}

const problemOf = ({ name, origin, reason }: Unusable): string => `${JSON.stringify(name)} of the ${origin}: ${reason}`;
