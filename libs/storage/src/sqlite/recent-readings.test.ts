import { afterEach, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HOUR } from '@device-metrics/domain';
import { sample, T0, TestStore } from '../testing/test-store.js';

let opened: TestStore;
afterEach(() => opened.close());

const recent = async (name = 'lab-pc-1'): Promise<number[]> => (await opened.store.recentReadings([{ name }]))[0];
const every = (interval: number, count: number, start = T0): number[] =>
  Array.from({ length: count }, (_, turn) => start + turn * interval);

it('the last readings of a device are those of its most frequent series, sealed or not', async () => {
  opened = await TestStore.open({ maxOpenSamples: 40 });
  const seldom = every(60_000, 10).map((time) => sample(time, 1, 'lab-pc-1', 'a'));
  const often = every(10_000, 60).map((time) => sample(time, 1, 'lab-pc-1', 'b'));
  await opened.store.append([...seldom, ...often]);
  expect(await recent()).toEqual(every(10_000, 60));

  await opened.store.maintain();
  expect(await opened.store.health()).toMatchObject({ headSamples: 0 });
  const later = every(10_000, 20, T0 + 600_000);
  await opened.store.append(later.map((time) => sample(time, 1, 'lab-pc-1', 'b')));
  expect(await recent()).toEqual(every(10_000, 80).slice(-65));

  await opened.reopen();
  expect(await recent()).toEqual(later);
  await opened.store.deleteSeries('lab-pc-1', (await opened.store.findSeries({ metrics: ['b'] }))[0].id);
  expect(await recent()).toEqual([]);
});

it('the last readings are those of all samples, however they come and whenever they are sealed', async () => {
  opened = await TestStore.open({ maxOpenSamples: 50 });
  const batches = fc.array(fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 30 }), { maxLength: 8 });
  let device = 0;
  await fc.assert(
    fc.asyncProperty(batches, async (all) => {
      const name = `pc-${device++}`;
      const times = new Set<number>();
      for (const batch of all) {
        for (const turn of batch) times.add(T0 + turn * 10_000);
        await opened.store.append(batch.map((turn) => sample(T0 + turn * 10_000, turn, name)));
        if (batch.length % 2 === 0) await opened.store.maintain();
      }
      expect(await recent(name)).toEqual([...times].sort((a, b) => a - b).slice(-65));
    }),
    { numRuns: 30 },
  );
});

it('the last readings are known after a start, sealed or not, as long as the journal has them', async () => {
  opened = await TestStore.open({ maxHeadSamples: 40 });
  // Needs all rows of the journal.
  await opened.store.append([sample(T0, 1, 'lab-pc-2')]);
  const times = every(10_000, 80);
  for (const [turn, time] of times.entries()) {
    const often = ['b', 'c'].map((metric) => sample(time, turn, 'lab-pc-1', metric));
    await opened.store.append(turn % 6 === 0 ? [sample(time, turn, 'lab-pc-1', 'a'), ...often] : often);
    await opened.store.maintain();
  }
  await opened.reopen();
  expect(await opened.store.health()).toMatchObject({ heads: 2 });
  expect(await recent()).toEqual(times.slice(-65));
});

it('when a device was seen first is known after each change of what there is of it', async () => {
  opened = await TestStore.open({ maxOpenSamples: 1 });
  const first = async (): Promise<number | undefined> => (await opened.store.device('lab-pc-1'))?.firstTime;
  await opened.store.append([sample(T0 + 5, 1)]);
  expect(await first()).toBe(T0 + 5);
  await opened.store.append([sample(T0 + 3, 1), sample(T0 + 7, 1)]);
  await opened.store.maintain();
  expect(await first()).toBe(T0 + 3);
  await opened.reopen();
  expect(await first()).toBe(T0 + 3);
  await opened.store.append([sample(T0 + 2, 1)]);
  await opened.sealAll();
  expect(await first()).toBe(T0 + 2);
  await opened.store.append([sample(T0 - HOUR, 1)]);
  expect(await first()).toBe(T0 - HOUR);
  await opened.sealAll();
  expect(await first()).toBe(T0 - HOUR);
  await opened.store.deleteDevice('lab-pc-1');
  await opened.store.append([sample(T0 + 9, 1)]);
  expect(await first()).toBe(T0 + 9);
});
