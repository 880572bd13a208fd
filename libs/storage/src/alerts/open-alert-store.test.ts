import 'reflect-metadata';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { sqliteOptions } from '../sqlite/data-source.js';
import type { AlertDocumentKind, AlertStep, AlertStore } from './alert-store.js';
import { openAlertStore } from './open-alert-store.js';

const at = Date.UTC(2026, 0, 15, 10);
/** What cannot be written. */
const unwritable = {
  toJSON: () => {
    throw new Error('no room');
  },
};

let dataSource: DataSource;
let store: AlertStore;
beforeEach(async () => {
  dataSource = await new DataSource(sqliteOptions(':memory:')).initialize();
  store = openAlertStore(dataSource);
});
afterEach(() => dataSource.destroy());

/** A step that changes so many states; of one of them the state cannot be written. */
function stepOf(count: number, wrong?: number): AlertStep {
  const subjects = Array.from({ length: count }, (_, number) => ({ rule: 'r', subject: `s${number}`, device: 'd' }));
  return {
    at,
    states: subjects.map((one, number) => ({ ...one, body: number === wrong ? unwritable : { number } })),
    gone: [],
    changes: subjects.map((one) => ({ ...one, at, body: { to: 'alerting' } })),
    messages: [{ key: 'k', channel: 'c', body: {} }],
    documents: [{ kind: 'key', name: 'looked', body: {}, changedAt: at }],
  };
}

const subjectsOf = (rows: readonly { readonly subject: string }[]): string[] =>
  rows.map(({ subject }) => subject).sort();

it('gives others their turn while very many states change, and has all of them in the end', async () => {
  let isOver = false;
  let turns = 0;
  const commit = store.commit(stepOf(5_000)).then(() => (isOver = true));
  while (!isOver) {
    await new Promise((resolve) => setImmediate(resolve));
    turns += 1;
  }
  await commit;
  expect(turns).toBeGreaterThan(3);
  const history = await store.history({ limit: 10_000 });
  expect(history).toHaveLength(5_000);
  expect(subjectsOf(await store.states())).toEqual(subjectsOf(history));
  expect(await store.messages({ limit: 10 })).toHaveLength(1);
});

it('replaces a document only where it is what it was', async () => {
  const of = (body: unknown) => ({ name: 'n', body, changedAt: at });
  const bodies = async (): Promise<unknown[]> => (await store.documents('rule')).map(({ body }) => body);
  expect(await store.replace('rule', of({ a: 1 }), { a: 0 })).toBe(false);
  expect(await store.replace('rule', of({ a: 1 }), undefined)).toBe(true);
  expect(await store.replace('rule', of({ a: 2 }), undefined)).toBe(false);
  const [first, second] = [{ a: 2 }, { a: 3 }].map((body) => store.replace('rule', of(body), { a: 1 }));
  expect([await first, await second]).toEqual([true, false]);
  expect(await bodies()).toEqual([{ a: 2 }]);
});

it('leaves nothing of a few changes that cannot be written', async () => {
  await expect(store.commit(stepOf(40, 39))).rejects.toThrow('no room');
  expect(await store.states()).toEqual([]);
  expect(await store.messages({ limit: 10 })).toEqual([]);
});

it('leaves of very many the messages, and states with their history, where one cannot be written', async () => {
  await expect(store.commit(stepOf(1_000, 700))).rejects.toThrow('no room');
  const states = await store.states();
  expect(states.length).toBeGreaterThan(0);
  expect(states.length).toBeLessThan(701);
  expect(subjectsOf(await store.history({ limit: 10_000 }))).toEqual(subjectsOf(states));
  expect(await store.messages({ limit: 10 })).toHaveLength(1);
  expect(await store.document('key', 'looked')).toBeUndefined();
});

it('gives documents of several kinds at once as it gives those of each', async () => {
  const document = (kind: AlertDocumentKind, name: string) => ({ kind, name, body: { name }, changedAt: at });
  await store.put([document('rule', 'b'), document('route', 'a'), document('rule', 'a'), document('key', 'k')]);
  const all = await store.documentsOf(['rule', 'route', 'silence']);
  expect([...all.keys()].sort()).toEqual(['route', 'rule']);
  for (const kind of ['rule', 'route'] as const) expect(all.get(kind)).toEqual(await store.documents(kind));
});
