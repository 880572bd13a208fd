import { expect, it } from '@jest/globals';
import { MINUTE } from '@device-metrics/domain';
import { ChannelError, type ReceiversNow } from '../../src/alerts/notify/channel.js';
import { channelOf, receiverOf, waitingByChannel } from '../../src/alerts/telling/queues.js';
import { Outbox } from '../../src/alerts/telling/outbox.js';
import type { Notice } from '../../src/alerts/telling/tell.js';
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
    async () => true,
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

it('a process that is not the one that sends any more, as it slept, ends with the message that it was at', async () => {
  const world = await World.open();
  const messages = ['one', 'two'].map((key) => ({ key, channel: 'mail', body: {} }));
  await world.alertStore.commit({ at: world.now, states: [], gone: [], changes: [], messages });
  const arrived: string[] = [];
  let isMine = true;
  const send = async ({ key }: { readonly key: string }): Promise<void> => {
    arrived.push(key);
    isMine = false;
  };
  const listener = { onFailure: () => undefined, onOutcome: () => undefined };
  const outbox = new Outbox(
    world.alertStore,
    send,
    () => world.now,
    listener,
    20,
    async () => isMine,
  );
  await outbox.run();
  await outbox.settled();
  expect(arrived).toEqual(['one']);
  await world.close();
});

it('one receiver of several who cannot be reached for a day holds up nobody, and then hears of everything in its order', async () => {
  const world = await World.open();
  const heard: Record<string, string[]> = { ann: [], bob: [], cid: [] };
  let away: string[] = [];
  const failures = new Set<string>();
  const deliver = (key: string, { only, without }: ReceiversNow): void => {
    const to = Object.keys(heard).filter((one) => (only === undefined || one === only) && !without.includes(one));
    for (const one of to) if (!away.includes(one)) heard[one]?.push(key);
    const refused = to.filter((one) => away.includes(one)).map((receiver) => ({ receiver, reason: 'mailbox is full' }));
    if (refused.length === 0) return;
    const isWhole = refused.length === to.length && without.length === 0;
    throw new ChannelError('mailbox is full', { permanent: false, refused: isWhole ? [] : refused });
  };
  const outbox = new Outbox(
    world.alertStore,
    async ({ channel, key, body }, without) => {
      const { only } = body as Notice;
      deliver(only?.key ?? key, { only: receiverOf(channel), without });
      expect(only?.receiver).toBe(receiverOf(channel));
    },
    () => world.now,
    { onFailure: (queue) => failures.add(`${channelOf(queue)} ${receiverOf(queue)}`), onOutcome: () => undefined },
  );
  for (let turn = 0; turn < 60; turn += 1) {
    // One, then two, then all three.
    away = turn < 10 ? [] : turn < 30 ? ['ann'] : turn < 40 ? ['ann', 'bob'] : turn < 45 ? Object.keys(heard) : [];
    if (turn < 50) {
      const messages = [{ key: `m${turn}`, channel: 'mail', body: {} }];
      await world.alertStore.commit({ at: world.now, states: [], gone: [], changes: [], messages });
    }
    await outbox.run();
    await outbox.settled();
    if (turn === 29)
      expect([heard['bob']?.length, [...(await waitingByChannel(world.alertStore))]]).toEqual([30, [['mail', 20]]]);
    if (turn === 39) expect(heard['cid']).toHaveLength(40);
    world.pass(60 * MINUTE);
  }
  const all = Array.from({ length: 50 }, (_, turn) => `m${turn}`);
  expect(heard).toEqual({ ann: all, bob: all, cid: all });
  expect([...failures].sort()).toEqual(['mail ann', 'mail bob', 'mail cid']);
  await world.close();
});
