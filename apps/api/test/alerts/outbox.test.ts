import { expect, it } from '@jest/globals';
import { MINUTE } from '@device-metrics/domain';
import { Outbox } from '../../src/alerts/telling/outbox.js';
import { World } from './world.js';

it('a channel that is dead for a week keeps its newest messages, says that it gave up the others, and holds up no other', async () => {
  const world = await World.open();
  const arrived: string[] = [];
  const count = { sent: 0, failed: 0, given_up: 0 };
  const reasons = new Set<string>();
  const outbox = new Outbox(
    world.alertStore,
    ({ channel, key }) => {
      if (channel === 'dead' && !isBack) return Promise.reject(new Error('answered 503'));
      arrived.push(key);
      return Promise.resolve();
    },
    () => world.now,
    {
      onFailure: (_channel, reason) => reasons.add(reason),
      onOutcome: (_channel, outcome, messages) => (count[outcome] += messages),
    },
    20,
  );
  let isBack = false;
  const run = async (): Promise<void> => {
    await outbox.run();
    await outbox.settled();
  };
  const days = 7;
  for (let turn = 0; turn < days * 24; turn += 1) {
    const messages = ['dead', 'well'].map((channel) => ({ key: `${channel} ${turn}`, channel, body: {} }));
    await world.alertStore.commit({ at: world.now, states: [], gone: [], changes: [], messages });
    await run();
    world.pass(60 * MINUTE);
  }
  const waiting = await world.alertStore.waiting();
  expect([...waiting]).toEqual([['dead', 20]]);
  expect(count.given_up).toBe(days * 24 - 20);
  expect(count.failed).toBeGreaterThan(0);
  expect(arrived).toEqual(Array.from({ length: days * 24 }, (_, turn) => `well ${turn}`));
  expect([...reasons]).toEqual(['answered 503']);

  isBack = true;
  await run();
  expect((await world.alertStore.waiting()).size).toBe(0);
  expect(arrived.slice(days * 24)).toEqual(Array.from({ length: 20 }, (_, index) => `dead ${days * 24 - 20 + index}`));
  const lost = await world.alertStore.messages({ state: 'failed', limit: 1_000 });
  expect(lost).toHaveLength(days * 24 - 20);
  expect(new Set(lost.map(({ error }) => error))).toEqual(
    new Set(['given up: more than 20 messages waited for the channel']),
  );
  await world.close();
});

it('a message that is not taken waits until a whole millisecond, and where that cannot be written down the api goes on', async () => {
  const world = await World.open();
  await world.alertStore.commit({
    ...{ at: world.now, states: [], gone: [], changes: [] },
    messages: [{ key: 'one', channel: 'dead', body: {} }],
  });
  const store = Object.create(world.alertStore) as typeof world.alertStore;
  const times: (number | undefined)[] = [];
  store.notSent = (_id, _reason, next) => {
    times.push(next);
    return Promise.reject(new Error('the database cannot be reached'));
  };
  const reasons: string[] = [];
  const outbox = new Outbox(
    store,
    () => Promise.reject(new Error('answered 503')),
    () => world.now,
    { onFailure: (_channel, reason) => reasons.push(reason), onOutcome: () => undefined },
    20,
    () => 0.123456,
  );
  for (let turn = 0; turn < 2; turn += 1) {
    await outbox.run();
    await outbox.settled();
  }
  expect(reasons).toEqual(Array(2).fill(['answered 503', 'the database cannot be reached']).flat());
  expect(times.map((time) => Number.isInteger(time))).toEqual([true, true]);
  await world.close();
});
