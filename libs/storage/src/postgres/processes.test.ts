import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DAY, HOUR, MINUTE, NamedSeries, SeriesGroup } from '@device-metrics/domain';
import { DeviceTakenError, StoreUnavailableError, type OthersListener, type Store } from '../store.js';
import { whyNoPostgres } from '../testing/postgres.js';
import { TestPostgresStore } from '../testing/test-postgres-store.js';
import { sample, storedIn, T0 } from '../testing/test-store.js';
import { connectionOf } from './connection.js';
import { PostgresStore } from './postgres-store.js';

const describeIf = whyNoPostgres === undefined ? describe : describe.skip;

describeIf('processes that share a database', () => {
  let opened: TestPostgresStore;
  let stores: PostgresStore[];

  beforeEach(async () => {
    opened = await TestPostgresStore.open();
    stores = [opened.store, await opened.another(), await opened.another()].map(asked);
  });
  afterEach(async () => {
    for (const store of stores.slice(1)) await store.close();
    await opened.close();
  });

  const seen = (): Promise<unknown[]> => Promise.all(stores.map((store) => storedIn(store)));
  const all = <T>(what: T): T[] => stores.map(() => what);
  const seenUnits = (): Promise<unknown[]> =>
    Promise.all(stores.map(async (store) => (await store.findSeries({})).map(({ unit }) => unit)));
  /** What has not been read yet may not be trimmed, and shards may just change hands. */
  const sealed = (): Promise<void> =>
    until(async () => {
      await seen();
      for (const store of stores) await store.maintain();
      return true;
    });

  it('each have in their next report what any of them has acknowledged, the later value over the earlier', async () => {
    for (let round = 0; round < 30; round += 1) {
      await stores[round % 3].append([sample(T0, round), sample(T0 + round + 1, round)]);
      const reader = stores[(round * 7 + 1) % 3];
      expect((await storedIn(reader))['lab-pc-1/m'][0]).toEqual([T0, round]);
    }
    const expected = { 'lab-pc-1/m': [[T0, 29], ...Array.from({ length: 30 }, (_, round) => [T0 + round + 1, round])] };
    expect(await seen()).toEqual(all(expected));
    opened.now += 24 * HOUR;
    for (const store of stores) await store.maintain();
    expect(await seen()).toEqual(all(expected));
    expect(await opened.query('SELECT count(*) AS rows FROM piece')).toEqual([{ rows: 1 }]);
    const late = await opened.another();
    expect(await storedIn(late)).toEqual(expected);
    await late.close();
  });

  it.each([
    ['years ahead', 6 * 365 * DAY, 'ahead of that of the database'],
    ['an hour behind', -HOUR, 'behind that of the database'],
  ])('go by the clock of the database: one whose own is %s neither refuses nor deletes', async (_, wrong, said) => {
    const rightNow = Date.now();
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => rightNow + wrong);
    const problems: string[] = [];
    const other = await PostgresStore.open(connectionOf(opened.url), {
      sealInterval: 0,
      connections: 3,
      onProblem: (problem) => problems.push(String(problem)),
    });
    const isOff = (by: number): boolean => Math.abs(other.now() - rightNow - by) < MINUTE;
    try {
      const time = rightNow - 80 * DAY;
      await other.append([sample(time, 1)]);
      await other.maintain();
      expect(await storedIn(other)).toEqual({ 'lab-pc-1/m': [[time, 1]] });
      expect(isOff(0)).toBe(true);
      expect(Math.abs(other.trustedNow() - rightNow)).toBeLessThan(MINUTE);
      expect(problems).toEqual([expect.stringContaining(said)]);
      // As after the machine has slept, until the database is asked the next time.
      clock.mockImplementation(() => rightNow + wrong + HOUR);
      expect(isOff(HOUR)).toBe(true);
    } finally {
      clock.mockRestore();
      await other.close();
    }
  });

  it('each have late samples in their next report, also of hours that another one has sealed', async () => {
    // It lets go of what others have sealed with each renewal of its lease.
    const quick = await opened.another({ beatInterval: 20 });
    const devices = Array.from({ length: 16 }, (_, index) => `pc-${index}`);
    const tick = (time: number): Promise<void> =>
      stores[0].append(devices.map((device, index) => sample(T0 + time, index * 100 + time, device)));
    const expected = (times: readonly number[]): unknown =>
      Object.fromEntries(
        devices.map((device, index) => [`${device}/m`, times.map((time) => [T0 + time, index * 100 + time])]),
      );
    await tick(0);
    expect(await storedIn(quick)).toEqual(expected([0]));
    opened.now += 24 * HOUR;
    await until(async () => {
      for (const store of [...stores, quick]) await store.maintain();
      return (await quick.health()).heads === 0;
    });
    await tick(1);
    await tick(2);
    expect(await storedIn(quick)).toEqual(expected([0, 1, 2]));
    await quick.close();
  });

  it('let go of all that others have sealed, be it more hours than they ask for at a time', async () => {
    const quick = await opened.another({ beatInterval: 20 });
    const hours = Array.from({ length: 600 }, (_, hour) => hour);
    const devices = Array.from({ length: 16 }, (_, index) => `pc-${index}`);
    for (const device of devices) {
      await stores[0].append(hours.map((hour) => sample(T0 - hour * HOUR, hour, device)));
    }
    const all = devices.length * hours.length;
    for (const store of [...stores, quick]) expect(await countIn(store)).toBe(all);
    opened.now += 2 * HOUR;
    await until(async () => {
      for (const store of [...stores, quick]) await store.maintain();
      return (await quick.health()).heads === 0;
    });
    expect(await countIn(quick)).toBe(all);
    await quick.close();
  });

  it('that make the same 10,000 series at once make 10,000', async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => sample(T0, index, `pc-${index % 10}`, `m.${index}`));
    await Promise.all([stores[0].append(many), stores[1].append(many)]);
    expect(await Promise.all(stores.map(async (store) => (await store.findSeries({})).length))).toEqual(all(10_000));
    expect(await opened.query('SELECT count(*) AS rows FROM series')).toEqual([{ rows: 10_000 }]);
  });

  it('hear at once of devices that were described, renamed and deleted', async () => {
    const [a, b, c] = stores;
    await a.append([sample(T0, 1), sample(T0, 1, 'other')]);
    await b.describeDevice('lab-pc-1', () => ({ tags: { room: 'lab' } }));
    expect(await c.device('lab-pc-1')).toMatchObject({ tags: { room: 'lab' } });
    await a.renameDevice('lab-pc-1', 'lab-pc-2');
    await b.append([sample(T0 + 1, 2)]);
    expect(await storedIn(c, { devices: ['lab-pc-2'] })).toEqual({
      'lab-pc-2/m': [
        [T0, 1],
        [T0 + 1, 2],
      ],
    });
    await expect(c.renameDevice('other', 'lab-pc-2')).rejects.toThrow(DeviceTakenError);
    expect(await c.deleteDevice('lab-pc-2')).toBe(true);
    await a.append([sample(T0 + 2, 3)]);
    const expected = { 'lab-pc-1/m': [[T0 + 2, 3]], 'other/m': [[T0, 1]] };
    expect(await seen()).toEqual(all(expected));
    const [{ id }] = await b.findSeries({ devices: ['other'] });
    expect(await a.deleteSeries('other', id)).toBe(true);
    await b.append([sample(T0 + 5, 6, 'other')]);
    expect(await seen()).toEqual(all({ 'lab-pc-1/m': [[T0 + 2, 3]], 'other/m': [[T0 + 5, 6]] }));
  });

  it('make one device of two while all of them take samples for both, whichever is asked', async () => {
    const expected = new Map<number, number>();
    for (let hour = 0; hour < 6; hour += 1) {
      opened.now = T0 + (hour + 1) * HOUR;
      const time = T0 + hour * HOUR;
      await stores[hour % 3].append([sample(time, 1, 'old'), sample(time + 1, hour, 'old')]);
      await stores[(hour + 1) % 3].append([sample(time, 2, 'new'), sample(time + 2, hour, 'new')]);
      for (const [at, value] of [2, hour, hour].entries()) expected.set(time + at, value);
      if (hour === 3) await sealed();
    }
    let merging = true;
    const send = async (store: PostgresStore, device: string, first: number): Promise<void> => {
      for (let time = first; merging || time < first + 5; time += 1) {
        await store.append([sample(time, -time, device)]);
        expected.set(time, -time);
      }
    };
    const senders = stores.flatMap((store, at) => [
      send(store, 'old', T0 + 1e6 * (at + 1)),
      send(store, 'new', T0 + 5 * HOUR + 1e6 * (at + 1)),
    ]);
    const merged = await stores[1].mergeDevices('old', 'new', (_, target) => target);
    expect(merged).toMatchObject({ name: 'new', formerNames: ['old'] });
    merging = false;
    await Promise.all(senders);
    const both = all({ 'new/m': [...expected].sort(([a], [b]) => a - b) });
    expect(await seen()).toEqual(both);
    opened.now += 24 * HOUR;
    await sealed();
    expect(await seen()).toEqual(both);
    expect(await opened.query('SELECT count(*) AS left FROM device_merge')).toEqual([{ left: 0 }]);
  });

  it('agree on a unit that was said later', async () => {
    const [a, b, c] = stores;
    await a.append([sample(T0, 1, 'pc', 'own.metric')]);
    await b.findSeries({});
    await b.append([{ ...sample(T0 + 1, 1, 'pc', 'own.metric'), unit: 'Cel' }]);
    for (const store of [a, b, c]) expect(await store.findSeries({})).toMatchObject([{ unit: 'Cel' }]);
  });

  it('store a unit that could not be stored the next time that it is said', async () => {
    const [a] = stores;
    const named = { ...sample(T0, 1, 'pc', 'own.metric'), unit: 'Cel' };
    await a.append([sample(T0, 1, 'pc', 'own.metric')]);
    await opened.query('ALTER TABLE series ADD CONSTRAINT no_room CHECK (unit IS NULL) NOT VALID');
    await expect(a.append([named])).rejects.toThrow('no_room');
    expect(await a.findSeries({})).toMatchObject([{ unit: null }]);
    await opened.query('ALTER TABLE series DROP CONSTRAINT no_room');
    await a.append([named]);
    expect(await seenUnits()).toEqual(all(['Cel']));
  });

  it('know whether a group has the units of its series, whichever of them was first to say one', async () => {
    const [a, b, c] = stores;
    const groupIn = (unit: string): SeriesGroup =>
      new SeriesGroup([NamedSeries.of({ deviceName: 'pc', metricName: 'own.metric', unit, labels: {} })]);
    await a.append([sample(T0, 1, 'pc', 'own.metric')]);
    await Promise.all([b, c].map((store) => store.findSeries({})));
    // Both say a unit for a series without one, in the same moment.
    await Promise.all([
      b.append([{ ...sample(T0 + 1, 1, 'pc', 'own.metric'), unit: 'Cel' }]),
      c.append([{ ...sample(T0 + 2, 1, 'pc', 'own.metric'), unit: 'K' }]),
    ]);
    for (const store of stores) {
      const [series] = await store.findSeries({});
      const groups = ['Cel', 'K'].map(groupIn);
      for (const group of groups) store.unitOf(group.series[0]);
      expect(groups.map((group) => store.hasUnits(group))).toEqual([series.unit === 'Cel', series.unit === 'K']);
    }
  });

  it('write nothing under a lease that has run out, and go on under another', async () => {
    const [, b] = stores;
    // Without anybody who asks it again.
    const a = opened.store;
    await a.append([sample(T0, 1)]);
    await opened.query(`UPDATE writer SET until = clock_timestamp() - interval '1 s'`);
    const late = a.append([sample(T0, -1)]);
    await expect(late).rejects.toThrow(StoreUnavailableError);
    await expect(late).rejects.toThrow('its lease has run out');
    await until(() => storedIn(b).then(({ 'lab-pc-1/m': found }) => found.length === 1 && found[0][1] === 1));
    await until(async () => {
      await a.append([sample(T0 + 1, 2)]);
      return true;
    });
    expect((await storedIn(stores[2]))['lab-pc-1/m']).toEqual([
      [T0, 1],
      [T0 + 1, 2],
    ]);
  });

  it('go on with what a database has that was put back from an older copy while they run', async () => {
    const [a] = stores;
    await a.append([sample(T0, 1)]);
    await opened.query('CREATE SCHEMA copy');
    const tables = ['journal', 'device', 'latest', 'lease', 'writer', 'id_counter', 'catalogue_state'];
    for (const table of tables) await opened.query(`CREATE TABLE copy.${table} AS TABLE ${table}`);
    await a.append([sample(T0, 2, 'later')]);
    expect(await storedIn(stores[1])).toHaveProperty(['later/m']);
    for (const table of [...tables].reverse()) await opened.query(`DELETE FROM ${table}`);
    await opened.query(`UPDATE copy.writer SET until = until - interval '1 hour'`);
    for (const table of tables) await opened.query(`INSERT INTO ${table} TABLE copy.${table}`);
    await opened.query('DELETE FROM series WHERE device_id NOT IN (SELECT id FROM device)');
    await opened.query('DROP SCHEMA copy CASCADE');
    // They may have found it out themselves by now, with the next renewal of a lease.
    const append = (store: PostgresStore, value: number): Promise<void> =>
      store.append([sample(T0 + 1, value, 'later')]);
    for (const [at, store] of stores.entries()) {
      await until(async () => {
        await append(store, at);
        return true;
      });
    }
    const expected = { 'lab-pc-1/m': [[T0, 1]], 'later/m': [[T0 + 1, 2]] };
    await until(async () => JSON.stringify(await seen()) === JSON.stringify(all(expected)));
    const late = await opened.another();
    expect(await storedIn(late)).toEqual(expected);
    await late.close();
  });

  it('seal what a process that is gone had taken, and lose nothing of it', async () => {
    const gone = await opened.another({ beatInterval: 0 });
    await gone.append([sample(T0, 1), sample(T0 + 1, 2, 'other')]);
    // As after a kill: its leases run out, and nobody has said goodbye.
    await opened.query(`UPDATE writer SET until = '-infinity' WHERE last > 0`);
    await opened.query(`UPDATE lease SET until = '-infinity'`);
    const expected = { 'lab-pc-1/m': [[T0, 1]], 'other/m': [[T0 + 1, 2]] };
    expect(await seen()).toEqual(all(expected));
    opened.now += 24 * HOUR;
    await until(async () => {
      for (const store of stores) await store.maintain();
      return (await stores[0].health()).journalRows === 0;
    });
    expect(await seen()).toEqual(all(expected));
    expect(await opened.query('SELECT count(*) AS rows FROM piece')).toEqual([{ rows: 2 }]);
    await gone.close();
  });

  it('set aside what is damaged, once for all, before anything takes its place', async () => {
    const [a] = stores;
    await a.append([sample(T0, 1, 'pc'), sample(T0 + 1, 2, 'pc'), sample(T0, 3, 'beside')]);
    const sealed = async (): Promise<void> => {
      await seen();
      opened.now += 24 * HOUR;
      for (const store of stores) await store.maintain();
    };
    await sealed();
    const flip = (table: string, column: string, where: string): Promise<unknown> =>
      opened.query(`UPDATE ${table} SET ${column} = set_byte(${column}, octet_length(${column}) / 2,
        get_byte(${column}, octet_length(${column}) / 2) # 1) WHERE ${where}`);
    const ofPc = `device_id = (SELECT id FROM device WHERE name = 'pc')`;
    const [{ data }] = await opened.query<{ data: Buffer }>(`SELECT data FROM piece WHERE ${ofPc}`);
    await flip('piece', 'data', ofPc);
    const fresh = [await opened.another(), await opened.another()];
    for (const store of fresh) expect(await storedIn(store)).toEqual({ 'beside/m': [[T0, 3]] });
    // A late sample makes the chunk anew: the bytes from before are kept.
    await a.append([sample(T0 + 2, 4, 'pc')]);
    await sealed();
    for (const store of fresh) {
      const { 'pc/m': pc, 'beside/m': beside } = await storedIn(store);
      // Another process may still have had what was damaged in its memory.
      expect(pc.at(-1)).toEqual([T0 + 2, 4]);
      expect(beside).toEqual([[T0, 3]]);
      await store.close();
    }
    const kept = await opened.query<{ source: string; data: Buffer }>('SELECT source, data FROM damaged');
    expect(kept.map(({ source }) => source)).toEqual(['chunk data']);
    expect(kept[0].data.length).toBe(data.length);
    expect(kept[0].data.filter((byte, at) => byte !== data[at])).toHaveLength(1);

    await a.append([sample(T0 + 3, 5, 'beside')]);
    await flip('journal', 'data', 'at = (SELECT max(at) FROM journal)');
    const late = await opened.another();
    expect(await late.health()).toMatchObject({ damaged: 2 });
    await late.close();
  });

  it('know by their next look how many they are, as limits are shared out', async () => {
    const [a, b, c] = stores;
    await seen();
    expect(stores.map(({ processes }) => processes)).toEqual(all(3));
    await c.close();
    await Promise.all([a, b].map((store) => store.findSeries({})));
    expect([a.processes, b.processes]).toEqual([2, 2]);
  });

  it('share out work on schedule', async () => {
    const held = await Promise.all(stores.map((store) => store.holds('alerts')));
    expect(held.filter(Boolean)).toHaveLength(1);
    const holder = held.indexOf(true);
    const rest = stores.filter((_, at) => at !== holder);
    expect(await rest[0].lastDone('alerts')).toBeUndefined();
    await stores[holder].noteDone('alerts', T0);
    await rest[0].noteDone('alerts', T0 + HOUR);
    await (stores[holder] as Store).close();
    for (const store of rest) expect(await store.lastDone('alerts')).toBe(T0);
    await until(async () => (await Promise.all(rest.map((store) => store.holds('alerts')))).some(Boolean));
  });

  it('hear samples that others take', async () => {
    const heard: number[] = [];
    const stop = stores[1].hearOthers({ hear: ({ values }) => heard.push(...values), isWaiting: () => true });
    await stores[0].append([sample(T0, 7)]);
    await until(() => Promise.resolve(heard.length > 0));
    expect(heard).toEqual([7]);
    stop();
  });

  it('hear of them when they read them, where nobody waits, and not of what was deleted until then', async () => {
    const quiet = await opened.another({ beatInterval: 0 });
    const heard: unknown[] = [];
    const hear: OthersListener['hear'] = ({ series, timestamps, values }, age) => {
      series.forEach(({ deviceName }, at) => heard.push([deviceName, timestamps[at], values[at]]));
      expect(age).toBeGreaterThanOrEqual(0);
    };
    quiet.hearOthers({ hear, isWaiting: () => false });
    await stores[0].append([sample(T0, 1, 'kept'), sample(T0, 2, 'deleted'), sample(T0 + 1, 3, 'kept')]);
    await stores[0].deleteDevice('deleted');
    expect(heard).toEqual([]);
    await quiet.findSeries({});
    expect(heard).toEqual([
      ['kept', T0, 1],
      ['kept', T0 + 1, 3],
    ]);
    await quiet.close();
  });
});

/** A process that is asked again where it says so: a busy machine may keep one from its lease for longer than that lasts. */
function asked(store: PostgresStore): PostgresStore {
  const again = async (call: () => Promise<unknown>): Promise<unknown> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof StoreUnavailableError) || attempt === 600) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  };
  return new Proxy(store, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (name !== 'append' && name !== 'findSeries') return member;
      return (...given: unknown[]) =>
        again(() => (member as (...given: unknown[]) => Promise<unknown>).apply(target, given));
    },
  });
}

/** Resolves once `condition` does and is true; what it throws is tried again, as a sender would. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 1_200; attempt += 1) {
    if (await condition().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it never came to pass');
}

/** Samples that there are of all series. */
const countIn = async (store: Store): Promise<number> =>
  Object.values(await storedIn(store)).reduce((sum, samples) => sum + samples.length, 0);
