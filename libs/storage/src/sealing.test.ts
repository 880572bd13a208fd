import { afterEach, describe, expect, it } from '@jest/globals';
import { DAY, HOUR, MINUTE } from '@device-metrics/domain';
import { TooLateError } from './store.js';
import { dialects, type OpenStore } from './testing/dialects.js';
import { sample, T0 } from './testing/test-store.js';

let opened: OpenStore;
afterEach(() => opened.close());

describe.each(dialects)('sealing on $name', (dialect) => {
  it('waits for the end of the hour and some time more, and then empties the journal', async () => {
    opened = await dialect.open({ sealDelay: 5 * MINUTE });
    await opened.store.append([sample(T0, 1), sample(T0 + 1, 2)]);
    opened.now = T0 + HOUR + 4 * MINUTE;
    await opened.store.maintain();
    expect(await opened.store.health()).toMatchObject({ heads: 1, headSamples: 2, journalRows: 1 });
    opened.now = T0 + HOUR + 10 * MINUTE;
    await opened.store.maintain();
    expect(await opened.store.health()).toMatchObject({ heads: 0, headSamples: 0, journalRows: 0, journalBytes: 0 });
    expect(await opened.stored()).toEqual({
      'lab-pc-1/m': [
        [T0, 1],
        [T0 + 1, 2],
      ],
    });
  });

  it('takes the devices one after the other', async () => {
    opened = await dialect.open({ sealDelay: 10 * MINUTE });
    await opened.store.append(Array.from({ length: 40 }, (_, index) => sample(T0, index, `pc-${index}`)));
    const left: number[] = [];
    for (let minute = 9; minute <= 20; minute += 1) {
      opened.now = T0 + HOUR + minute * MINUTE;
      await opened.store.maintain();
      left.push((await opened.store.health()).heads);
    }
    expect(left[0]).toBe(40);
    expect(left.at(-1)).toBe(0);
    expect(new Set(left).size).toBeGreaterThan(8);
  });

  it('keeps the journal rows that an open head needs, and those only', async () => {
    opened = await dialect.open({});
    await opened.store.append([sample(T0, 1, 'old')]);
    await opened.store.append([sample(T0 + HOUR, 2, 'new')]);
    await opened.store.append([sample(T0, 3, 'old')]);
    opened.now = T0 + HOUR + 20 * MINUTE;
    await opened.store.maintain();
    expect(await opened.store.health()).toMatchObject({ heads: 1, journalRows: 2 });
    await opened.reopen();
    expect(await opened.stored()).toEqual({ 'new/m': [[T0 + HOUR, 2]], 'old/m': [[T0, 3]] });
    expect(await opened.store.health()).toMatchObject({ heads: 1, headSamples: 1, journalRows: 2 });
  });

  it('goes on while samples come in for the hour that is being sealed', async () => {
    opened = await dialect.open({});
    const many = Array.from({ length: 20_000 }, (_, index) => sample(T0 + index, index, 'pc', `m.${index % 50}`));
    await opened.store.append(many);
    opened.now += DAY;
    const sealing = opened.store.maintain();
    await opened.store.append([sample(T0, -1, 'pc', 'm.0'), sample(T0 + 100_000, 5, 'pc', 'm.0')]);
    const during = (await opened.stored({ metrics: ['m.0'] }))['pc/m.0'];
    await sealing;
    await opened.sealAll();
    expect((await opened.stored({ metrics: ['m.0'] }))['pc/m.0']).toEqual(during);
    expect(during).toHaveLength(401);
    expect(during[0]).toEqual([T0, -1]);
    expect(await opened.store.health()).toMatchObject({ heads: 0 });
  });

  it('keeps few heads in memory of years of a sample an hour, and all of it is there', async () => {
    opened = await dialect.open({ rawRetention: 0, hourlyRetention: 0, maxOpenSamples: 3_200 });
    const all = Array.from({ length: 3_000 }, (_, hour): [number, number] => [T0 - hour * HOUR, hour]);
    for (let from = 0; from < all.length; from += 500) {
      await opened.store.append(all.slice(from, from + 500).map(([time, value]) => sample(time, value)));
    }
    // A late one of each tenth hour, while what came before it is being sealed.
    const late = all.filter(([, hour]) => hour % 10 === 0).map(([time, hour]): [number, number] => [time + 1, -hour]);
    await opened.store.append(late.map(([time, value]) => sample(time, value)));
    const expected = [...all, ...late].sort(([a], [b]) => a - b);
    expect((await opened.stored())['lab-pc-1/m']).toEqual(expected);
    await opened.store.append([sample(T0 + 2, 1)]);
    expect((await opened.store.health()).heads).toBeLessThanOrEqual(125 + late.length);
    expected.push([T0 + 2, 1]);
    expect((await opened.stored())['lab-pc-1/m']).toEqual(expected);
    opened.now += DAY;
    await opened.sealAll();
    expect((await opened.stored())['lab-pc-1/m']).toEqual(expected);
    expect(await opened.store.health()).toMatchObject({ heads: 0, journalRows: 0 });
  });

  it('refuses what no later read could give back, and stores the rest of the commit', async () => {
    opened = await dialect.open({ rawRetention: 10 * DAY });
    const { store } = opened;
    expect(store.oldestTimestamp()).toBe(T0 - 9 * DAY);
    const good = store.append([sample(T0, 1)]);
    await expect(store.append([sample(T0 - 9 * DAY - HOUR - 1, 1)])).rejects.toThrow(TooLateError);
    await expect(store.append([sample(T0 + 0.5, 1)])).rejects.toThrow('timestamp must be an integer');
    await expect(store.append([sample(2 ** 60, 1)])).rejects.toThrow(RangeError);
    await expect(store.append([sample(T0, NaN)])).rejects.toThrow('value must be finite, got NaN');
    await good;
    await store.append([sample(store.oldestTimestamp(), 2)]);
    expect(await opened.stored()).toEqual({
      'lab-pc-1/m': [
        [T0 - 9 * DAY, 2],
        [T0, 1],
      ],
    });
  });
});
