import { afterEach, describe, expect, it } from '@jest/globals';
import { DAY, HOUR, MINUTE } from '@device-metrics/domain';
import { dialects, type OpenStore } from './testing/dialects.js';
import { sample, T0 } from './testing/test-store.js';

let opened: OpenStore;
afterEach(() => opened.close());

const YEARS_AHEAD = T0 + 30 * 365 * DAY;

/** The clock is 30 years ahead for a while, as on a machine whose battery is empty, and then right again. */
describe.each(dialects)('a clock that was ahead, on $name', (dialect) => {
  it('leaves no journal that only grows', async () => {
    opened = await dialect.open({});
    opened.now = YEARS_AHEAD;
    await opened.store.append([sample(YEARS_AHEAD, 1)]);
    opened.now = T0;
    for (let hour = 0; hour < 5; hour += 1) {
      await opened.store.append([sample(opened.now, hour)]);
      opened.now += HOUR;
      await opened.store.maintain();
    }
    opened.now += HOUR;
    await opened.store.maintain();
    expect(await opened.store.health()).toMatchObject({ journalRows: 0, heads: 0 });
    await opened.reopen();
    expect((await opened.stored())['lab-pc-1/m']).toHaveLength(6);
  });

  it('keeps no hour open until it is that time again', async () => {
    opened = await dialect.open({});
    opened.now = T0 + 30 * DAY;
    await opened.store.append([sample(T0, 1)]);
    opened.now = T0 + 2 * HOUR;
    await opened.store.maintain();
    expect(await opened.store.health()).toMatchObject({ journalRows: 0, heads: 0 });
  });

  it('has no latest sample that later ones do not take the place of', async () => {
    opened = await dialect.open({});
    const latest = async (): Promise<unknown> => opened.store.latest(await opened.store.findSeries({}));
    opened.now = YEARS_AHEAD;
    await opened.store.append([sample(YEARS_AHEAD, 1)]);
    opened.now = T0;
    await opened.store.append([sample(T0, 2)]);
    expect(await latest()).toMatchObject([{ timestamp: T0, value: 2 }]);
    await opened.store.append([sample(T0 - MINUTE, 3)]);
    expect(await latest()).toMatchObject([{ timestamp: T0, value: 2 }]);
    expect(await opened.store.devices()).toMatchObject([{ lastTime: T0 }]);

    opened.now = T0 + 2 * HOUR;
    await opened.store.maintain();
    await opened.reopen();
    await opened.store.append([sample(opened.now, 4)]);
    expect(await latest()).toMatchObject([{ timestamp: opened.now, value: 4 }]);
  });
});
