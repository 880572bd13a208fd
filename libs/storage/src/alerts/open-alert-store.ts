import type { Database } from 'better-sqlite3';
import type { DataSource } from 'typeorm';
import { connectionOf } from '../sqlite/data-source.js';
import type {
  AlertDocument,
  AlertDocumentKind,
  AlertHistoryFilter,
  AlertStep,
  AlertStore,
  StoredAlertChange,
  StoredAlertMessage,
  StoredAlertState,
} from './alert-store.js';

/** The alert store on a DataSource that has been initialized with `dataSourceOptions`. */
export const openAlertStore = (dataSource: DataSource): AlertStore => new SqliteAlertStore(connectionOf(dataSource));

interface Row {
  readonly body: string;
}

/** The columns of a row with its body as JSON. */
const parsed = <T>(row: unknown): T => ({ ...(row as object), body: JSON.parse((row as Row).body) as unknown }) as T;

const MESSAGE = `id, key, channel, state, created_at AS createdAt, next_at AS nextAt, attempts, sent_at AS sentAt, error, body`;

/** Statements run on the connection itself: only its own transactions are safe from those of other callers. */
class SqliteAlertStore implements AlertStore {
  private readonly insertDocument;
  private readonly replaceDocument;
  private readonly replaceState;
  private readonly deleteState;
  private readonly insertChange;
  private readonly insertMessage;

  constructor(private readonly db: Database) {
    const document = 'INTO alert_document (kind, name, body, changed_at) VALUES (?, ?, ?, ?)';
    this.insertDocument = db.prepare(`INSERT OR IGNORE ${document}`);
    this.replaceDocument = db.prepare(`REPLACE ${document}`);
    this.replaceState = db.prepare('REPLACE INTO alert_state (rule, subject, device, body) VALUES (?, ?, ?, ?)');
    this.deleteState = db.prepare('DELETE FROM alert_state WHERE rule = ? AND subject = ?');
    this.insertChange = db.prepare(
      'INSERT INTO alert_history (at, rule, subject, device, body) VALUES (?, ?, ?, ?, ?)',
    );
    this.insertMessage = db.prepare(
      `INSERT OR IGNORE INTO alert_message (key, channel, state, created_at, next_at, body) VALUES (?, ?, 'waiting', ?, ?, ?)`,
    );
  }

  async documents(kind: AlertDocumentKind): Promise<AlertDocument[]> {
    const select = 'SELECT name, body, changed_at AS changedAt FROM alert_document WHERE kind = ? ORDER BY name';
    return this.db
      .prepare(select)
      .all(kind)
      .map(parsed<AlertDocument>);
  }

  async document(kind: AlertDocumentKind, name: string): Promise<AlertDocument | undefined> {
    const select = 'SELECT name, body, changed_at AS changedAt FROM alert_document WHERE kind = ? AND name = ?';
    const row = this.db.prepare(select).get(kind, name);
    return row === undefined ? undefined : parsed<AlertDocument>(row);
  }

  async put(documents: readonly (AlertDocument & { readonly kind: AlertDocumentKind })[]): Promise<void> {
    this.db.transaction(() => {
      for (const { kind, name, body, changedAt } of documents) {
        this.replaceDocument.run(kind, name, JSON.stringify(body), changedAt);
      }
    })();
  }

  async add(kind: AlertDocumentKind, { name, body, changedAt }: AlertDocument): Promise<boolean> {
    return this.insertDocument.run(kind, name, JSON.stringify(body), changedAt).changes > 0;
  }

  async remove(kind: AlertDocumentKind, name: string): Promise<boolean> {
    return this.db.prepare('DELETE FROM alert_document WHERE kind = ? AND name = ?').run(kind, name).changes > 0;
  }

  async states(): Promise<StoredAlertState[]> {
    return this.db
      .prepare('SELECT rule, subject, device, body FROM alert_state')
      .all()
      .map(parsed<StoredAlertState>);
  }

  async commit({ at, states, gone, changes, messages, documents = [] }: AlertStep): Promise<void> {
    if (states.length + gone.length + changes.length + messages.length + documents.length === 0) return;
    this.db.transaction(() => {
      for (const { rule, subject, device, body } of states) {
        this.replaceState.run(rule, subject, device, JSON.stringify(body));
      }
      for (const { rule, subject } of gone) this.deleteState.run(rule, subject);
      for (const change of changes) {
        this.insertChange.run(change.at, change.rule, change.subject, change.device, JSON.stringify(change.body));
      }
      for (const { key, channel, body } of messages) {
        this.insertMessage.run(key, channel, at, at, JSON.stringify(body));
      }
      for (const { kind, name, body, changedAt } of documents) {
        this.replaceDocument.run(kind, name, JSON.stringify(body), changedAt);
      }
    })();
  }

  async history({ device, rule, start, end, before, limit }: AlertHistoryFilter): Promise<StoredAlertChange[]> {
    const conditions: [string, unknown][] = [
      ['device = ?', device],
      ['rule = ?', rule],
      ['at >= ?', start],
      ['at < ?', end],
      ['id < ?', before],
    ];
    const given = conditions.filter(([, value]) => value !== undefined);
    const where = given.length === 0 ? '' : `WHERE ${given.map(([text]) => text).join(' AND ')}`;
    return this.db
      .prepare(`SELECT id, at, rule, subject, device, body FROM alert_history ${where} ORDER BY id DESC LIMIT ?`)
      .all(...given.map(([, value]) => value), limit)
      .map(parsed<StoredAlertChange>);
  }

  async forget(before: number): Promise<void> {
    this.db.transaction(() => {
      this.db.prepare('DELETE FROM alert_history WHERE at < ?').run(before);
      this.db.prepare(`DELETE FROM alert_message WHERE state <> 'waiting' AND created_at < ?`).run(before);
    })();
  }

  async next(channel: string): Promise<StoredAlertMessage | undefined> {
    const select = `SELECT ${MESSAGE} FROM alert_message WHERE state = 'waiting' AND channel = ? ORDER BY id LIMIT 1`;
    const row = this.db.prepare(select).get(channel);
    return row === undefined ? undefined : parsed<StoredAlertMessage>(row);
  }

  async waitingChannels(): Promise<string[]> {
    return this.db
      .prepare<[], string>(`SELECT DISTINCT channel FROM alert_message WHERE state = 'waiting'`)
      .pluck()
      .all();
  }

  async sent(id: number, at: number): Promise<void> {
    this.db
      .prepare(
        `UPDATE alert_message SET state = 'sent', sent_at = ?, error = NULL, attempts = attempts + 1 WHERE id = ?`,
      )
      .run(at, id);
  }

  async notSent(id: number, error: string, nextAt: number | undefined): Promise<void> {
    const state = nextAt === undefined ? 'failed' : 'waiting';
    this.db
      .prepare('UPDATE alert_message SET state = ?, error = ?, attempts = attempts + 1, next_at = ? WHERE id = ?')
      .run(state, error, nextAt ?? 0, id);
  }

  async messages(filter: {
    state?: StoredAlertMessage['state'] | undefined;
    limit: number;
  }): Promise<StoredAlertMessage[]> {
    const { state, limit } = filter;
    return this.db
      .prepare(`SELECT ${MESSAGE} FROM alert_message WHERE ? IS NULL OR state = ? ORDER BY id DESC LIMIT ?`)
      .all(state ?? null, state ?? null, limit)
      .map(parsed<StoredAlertMessage>);
  }
}
