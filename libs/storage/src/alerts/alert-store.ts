/** What people set up: the store keeps it as JSON and does not look inside. */
export type AlertDocumentKind =
  'rule' | 'channel' | 'route' | 'dependency' | 'silence' | 'maintenance' | 'incident' | 'status-page' | 'key';

export interface AlertDocument {
  /** Unique among those of its kind. */
  readonly name: string;
  /** JSON. */
  readonly body: unknown;
  /** Unix milliseconds. */
  readonly changedAt: number;
}

/** Names one thing that a rule watches. */
export interface AlertKey {
  readonly rule: string;
  /** Unique among the subjects of the rule. */
  readonly subject: string;
}

export interface StoredAlertState extends AlertKey {
  readonly device: string;
  /** JSON. */
  readonly body: unknown;
}

/** One change of a state. */
export interface AlertChange extends AlertKey {
  /** Unix milliseconds. */
  readonly at: number;
  readonly device: string;
  /** JSON. */
  readonly body: unknown;
}

export interface StoredAlertChange extends AlertChange {
  /** Grows with each change. */
  readonly id: number;
}

/** A message to a channel that is to be sent at least once. */
export interface AlertMessage {
  /** The same for the same message: a second one of it is not taken. */
  readonly key: string;
  readonly channel: string;
  /** JSON. */
  readonly body: unknown;
}

export interface StoredAlertMessage extends AlertMessage {
  readonly id: number;
  readonly state: 'waiting' | 'sent' | 'failed';
  /** Unix milliseconds, as all times here. */
  readonly createdAt: number;
  /** When it is tried next. */
  readonly nextAt: number;
  readonly attempts: number;
  readonly sentAt: number | null;
  /** Why the last attempt failed. */
  readonly error: string | null;
}

/** Everything that one look at the rules changes. */
export interface AlertStep {
  /** Unix milliseconds. */
  readonly at: number;
  readonly states: readonly StoredAlertState[];
  /** States that are normal again. */
  readonly gone: readonly AlertKey[];
  readonly changes: readonly AlertChange[];
  readonly messages: readonly AlertMessage[];
  /** What is to be known of the step after a restart. */
  readonly documents?: readonly (AlertDocument & { readonly kind: AlertDocumentKind })[];
}

export interface AlertHistoryFilter {
  readonly device?: string | undefined;
  readonly rule?: string | undefined;
  /** Unix milliseconds; `start` belongs to it, `end` does not. */
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  /** Only changes with a smaller id. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** Keeps what alerts need over restarts. Every call is one step: all of it is on disk when it resolves, or nothing; but see `commit`. */
export interface AlertStore {
  /** All documents of a kind, by name. */
  documents(kind: AlertDocumentKind): Promise<readonly AlertDocument[]>;
  /** The same of several kinds, in one question; a kind that has none is left out. */
  documentsOf(kinds: readonly AlertDocumentKind[]): Promise<ReadonlyMap<AlertDocumentKind, readonly AlertDocument[]>>;
  document(kind: AlertDocumentKind, name: string): Promise<AlertDocument | undefined>;
  /** Writes documents in place of those of the same names; all of them, or none. */
  put(documents: readonly (AlertDocument & { readonly kind: AlertDocumentKind })[]): Promise<void>;
  /** Adds a document; false when there is one of its name already. */
  add(kind: AlertDocumentKind, document: AlertDocument): Promise<boolean>;
  /** Writes a document in place of what there was; false where that is no longer so. @param before undefined: there was none. */
  replace(kind: AlertDocumentKind, document: AlertDocument, before: unknown): Promise<boolean>;
  /** False when there is none of this name. */
  remove(kind: AlertDocumentKind, name: string): Promise<boolean>;

  /** All states that are not normal. */
  states(): Promise<readonly StoredAlertState[]>;
  /**
   * Writes states, their history and the messages about them together. Where they are very many, others get their turn meanwhile, and
   * a crash or a full disk leaves the first of them: the messages come first, and each state is there with its history or not at all.
   */
  commit(step: AlertStep): Promise<void>;
  /** Changes, the newest first. */
  history(filter: AlertHistoryFilter): Promise<readonly StoredAlertChange[]>;
  /** Drops history and sent or failed messages from before this time, Unix ms. */
  forget(before: number): Promise<void>;

  message(key: string): Promise<StoredAlertMessage | undefined>;
  /** The oldest message of a channel that waits. */
  next(channel: string): Promise<StoredAlertMessage | undefined>;
  /** How many messages wait for each channel that any wait for. */
  waiting(): Promise<ReadonlyMap<string, number>>;
  /** Gives up the oldest messages that wait for a channel, all but the newest `kept`; how many these were. */
  giveUp(channel: string, kept: number, error: string): Promise<number>;
  sent(id: number, at: number): Promise<void>;
  /** An attempt failed: tried again at `nextAt`, or never where that is undefined. */
  notSent(id: number, error: string, nextAt: number | undefined): Promise<void>;
  /** Messages, the newest first. */
  messages(filter: {
    readonly state?: StoredAlertMessage['state'] | undefined;
    readonly limit: number;
  }): Promise<readonly StoredAlertMessage[]>;
}
