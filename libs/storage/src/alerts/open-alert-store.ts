import type { DataSource } from 'typeorm';
import { sqlOf, type Sql, type Statement } from '../sql.js';
import type {
  AlertChange,
  AlertDocument,
  AlertDocumentKind,
  AlertHistoryFilter,
  AlertKey,
  AlertStep,
  AlertStore,
  StoredAlertChange,
  StoredAlertMessage,
  StoredAlertState,
} from './alert-store.js';

/** The alert store on a DataSource of `openDataSource`. */
export const openAlertStore = (dataSource: DataSource): AlertStore => new SqlAlertStore(sqlOf(dataSource));

interface Row {
  readonly body: string;
}

/** The columns of a row with its body as JSON. */
const parsed = <T>(row: Row): T => ({ ...row, body: JSON.parse(row.body) as unknown }) as T;

const byName = (a: AlertDocument, b: AlertDocument): number => (a.name < b.name ? -1 : 1);

const MESSAGE = `id, key, channel, state, created_at AS "createdAt", next_at AS "nextAt", attempts, sent_at AS "sentAt", error, body`;
const DOCUMENT = `SELECT name, body, changed_at AS "changedAt" FROM alert_document WHERE kind = ?`;
const ADD_DOCUMENT =
  'INSERT INTO alert_document (kind, name, body, changed_at) VALUES (?, ?, ?, ?) ON CONFLICT (kind, name)';

const put = ({ kind, name, body, changedAt }: AlertDocument & { readonly kind: AlertDocumentKind }): Statement => [
  `${ADD_DOCUMENT} DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at`,
  kind,
  name,
  JSON.stringify(body),
  changedAt,
];

class SqlAlertStore implements AlertStore {
  constructor(private readonly sql: Sql) {}

  async documents(kind: AlertDocumentKind): Promise<AlertDocument[]> {
    const rows = await this.sql.rows<Row>(DOCUMENT, kind);
    return rows.map((row) => parsed<AlertDocument>(row)).sort(byName);
  }

  async documentsOf(kinds: readonly AlertDocumentKind[]): Promise<Map<AlertDocumentKind, AlertDocument[]>> {
    const rows = await this.sql.rows<Row & { kind: AlertDocumentKind }>(
      `SELECT kind, name, body, changed_at AS "changedAt" FROM alert_document WHERE kind IN (${kinds.map(() => '?').join(', ')})`,
      ...kinds,
    );
    const found = new Map<AlertDocumentKind, AlertDocument[]>();
    for (const { kind, ...row } of rows) {
      const document = parsed<AlertDocument>(row);
      const its = found.get(kind);
      if (its) its.push(document);
      else found.set(kind, [document]);
    }
    for (const its of found.values()) its.sort(byName);
    return found;
  }

  async document(kind: AlertDocumentKind, name: string): Promise<AlertDocument | undefined> {
    const [row] = await this.sql.rows<Row>(`${DOCUMENT} AND name = ?`, kind, name);
    return row && parsed<AlertDocument>(row);
  }

  async put(documents: readonly (AlertDocument & { readonly kind: AlertDocumentKind })[]): Promise<void> {
    await this.sql.together(documents.map(put));
  }

  async add(kind: AlertDocumentKind, { name, body, changedAt }: AlertDocument): Promise<boolean> {
    const added = await this.sql.rows(
      `${ADD_DOCUMENT} DO NOTHING RETURNING name`,
      kind,
      name,
      JSON.stringify(body),
      changedAt,
    );
    return added.length > 0;
  }

  async replace(kind: AlertDocumentKind, document: AlertDocument, before: unknown): Promise<boolean> {
    if (before === undefined) return this.add(kind, document);
    const replaced = await this.sql.rows(
      'UPDATE alert_document SET body = ?, changed_at = ? WHERE kind = ? AND name = ? AND body = ? RETURNING name',
      JSON.stringify(document.body),
      document.changedAt,
      kind,
      document.name,
      JSON.stringify(before),
    );
    return replaced.length > 0;
  }

  async remove(kind: AlertDocumentKind, name: string): Promise<boolean> {
    const sql = 'DELETE FROM alert_document WHERE kind = ? AND name = ? RETURNING name';
    return (await this.sql.rows(sql, kind, name)).length > 0;
  }

  async states(): Promise<StoredAlertState[]> {
    const rows = await this.sql.rows<Row>('SELECT rule, subject, device, body FROM alert_state');
    return rows.map((row) => parsed<StoredAlertState>(row));
  }

  async commit(step: AlertStep): Promise<void> {
    const { states, gone, changes, messages, documents = [] } = step;
    if (states.length + gone.length + changes.length + messages.length + documents.length === 0) return;
    await this.sql.inParts(partsOf(step));
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
    const rows = await this.sql.rows<Row>(
      `SELECT id, at, rule, subject, device, body FROM alert_history ${where} ORDER BY id DESC LIMIT ?`,
      ...given.map(([, value]) => value),
      limit,
    );
    return rows.map((row) => parsed<StoredAlertChange>(row));
  }

  async forget(before: number): Promise<void> {
    await this.sql.together([
      ['DELETE FROM alert_history WHERE at < ?', before],
      [`DELETE FROM alert_message WHERE state <> 'waiting' AND created_at < ?`, before],
    ]);
  }

  async message(key: string): Promise<StoredAlertMessage | undefined> {
    const [row] = await this.sql.rows<Row>(`SELECT ${MESSAGE} FROM alert_message WHERE key = ?`, key);
    return row && parsed<StoredAlertMessage>(row);
  }

  async next(channel: string): Promise<StoredAlertMessage | undefined> {
    const select = `SELECT ${MESSAGE} FROM alert_message WHERE state = 'waiting' AND channel = ? ORDER BY id LIMIT 1`;
    const [row] = await this.sql.rows<Row>(select, channel);
    return row && parsed<StoredAlertMessage>(row);
  }

  async waiting(): Promise<Map<string, number>> {
    const select = `SELECT channel, count(*) AS count FROM alert_message WHERE state = 'waiting' GROUP BY channel`;
    const rows = await this.sql.rows<{ channel: string; count: number | string }>(select);
    return new Map(rows.map(({ channel, count }) => [channel, Number(count)]));
  }

  async giveUp(channel: string, kept: number, error: string): Promise<number> {
    const newestGivenUp = `SELECT id FROM alert_message WHERE state = 'waiting' AND channel = ? ORDER BY id DESC LIMIT 1 OFFSET ?`;
    const update = `UPDATE alert_message SET state = 'failed', error = ?
      WHERE state = 'waiting' AND channel = ? AND id <= (${newestGivenUp}) RETURNING id`;
    return (await this.sql.rows(update, error, channel, channel, kept)).length;
  }

  async sent(id: number, at: number): Promise<void> {
    await this.sql.rows(
      `UPDATE alert_message SET state = 'sent', sent_at = ?, error = NULL, attempts = attempts + 1 WHERE id = ?`,
      at,
      id,
    );
  }

  async notSent(id: number, error: string, nextAt: number | undefined): Promise<void> {
    await this.sql.rows(
      'UPDATE alert_message SET state = ?, error = ?, attempts = attempts + 1, next_at = ? WHERE id = ?',
      nextAt === undefined ? 'failed' : 'waiting',
      error,
      nextAt ?? 0,
      id,
    );
  }

  async messages(filter: {
    state?: StoredAlertMessage['state'] | undefined;
    limit: number;
  }): Promise<StoredAlertMessage[]> {
    const { state, limit } = filter;
    const rows = await (state === undefined
      ? this.sql.rows<Row>(`SELECT ${MESSAGE} FROM alert_message ORDER BY id DESC LIMIT ?`, limit)
      : this.sql.rows<Row>(
          `SELECT ${MESSAGE} FROM alert_message WHERE state = ? ORDER BY id DESC LIMIT ?`,
          state,
          limit,
        ));
    return rows.map((row) => parsed<StoredAlertMessage>(row));
  }
}

/**
 * A step, cut where a crash may come between: the messages first, so that nothing is taken for told that is not, each state with its
 * history, and at last up to when all of it has been seen.
 */
function* partsOf({ at, states, gone, changes, messages, documents = [] }: AlertStep): Generator<Statement[]> {
  const ofSubjects = new Map<string, AlertChange[]>();
  for (const change of changes) {
    const its = ofSubjects.get(keyOf(change));
    if (its) its.push(change);
    else ofSubjects.set(keyOf(change), [change]);
  }
  const historyOf = (subject: AlertKey): Statement[] => {
    const its = ofSubjects.get(keyOf(subject)) ?? [];
    ofSubjects.delete(keyOf(subject));
    return its.map(addChange);
  };
  for (const { key, channel, body } of messages) {
    const sql = `INSERT INTO alert_message (key, channel, state, created_at, next_at, body) VALUES (?, ?, 'waiting', ?, ?, ?)
         ON CONFLICT (key) DO NOTHING`;
    yield [[sql, key, channel, at, at, JSON.stringify(body)]];
  }
  for (const state of states) yield [putState(state), ...historyOf(state)];
  for (const one of gone) {
    const remove: Statement = ['DELETE FROM alert_state WHERE rule = ? AND subject = ?', one.rule, one.subject];
    yield [remove, ...historyOf(one)];
  }
  for (const rest of ofSubjects.values()) yield rest.map(addChange);
  yield documents.map(put);
}

const keyOf = ({ rule, subject }: AlertKey): string => `${rule}\n${subject}`;

const putState = ({ rule, subject, device, body }: StoredAlertState): Statement => [
  `INSERT INTO alert_state (rule, subject, device, body) VALUES (?, ?, ?, ?)
   ON CONFLICT (rule, subject) DO UPDATE SET device = excluded.device, body = excluded.body`,
  rule,
  subject,
  device,
  JSON.stringify(body),
];

const addChange = ({ at, rule, subject, device, body }: AlertChange): Statement => [
  'INSERT INTO alert_history (at, rule, subject, device, body) VALUES (?, ?, ?, ?, ?)',
  at,
  rule,
  subject,
  device,
  JSON.stringify(body),
];
