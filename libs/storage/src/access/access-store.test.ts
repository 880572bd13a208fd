import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource } from 'typeorm';
import { dataSourceOptions, openDataSource } from '../data-source.js';
import { migrations } from '../sqlite/migrations/index.js';
import { openSampleStore } from '../open-sample-store.js';
import type { AccessStore, StoredCollector, StoredToken, StoredUser } from './access-store.js';
import { whyNoPostgres } from '../testing/postgres.js';
import { giveBack, takeDatabase } from '../testing/postgres-databases.js';
import { openAccessStore } from './open-access-store.js';

/** Where users, tokens and collectors are kept. */
class Database {
  private constructor(
    readonly isShared: boolean,
    private readonly address: string,
    readonly close: () => Promise<void> | void,
  ) {}

  static async sqlite(): Promise<Database> {
    const folder = await mkdtemp(join(tmpdir(), 'access-store-'));
    return new Database(false, join(folder, 'metrics.db'), () => rm(folder, { recursive: true }));
  }

  static async postgres(): Promise<Database> {
    const url = await takeDatabase();
    return new Database(true, url, () => giveBack(url));
  }

  another(): Promise<DataSource> {
    return openDataSource(dataSourceOptions(this.address));
  }
}

const databases = [
  { name: 'SQLite', make: () => Database.sqlite() },
  ...(whyNoPostgres === undefined ? [{ name: 'PostgreSQL', make: () => Database.postgres() }] : []),
];

const token: StoredToken = {
  id: 't1',
  kind: 'ingest',
  name: 'telegraf',
  hash: 'aa',
  previousHash: null,
  previousUntil: null,
  devices: ['lab-*'],
  tags: null,
  page: null,
  collectorId: null,
  createdAt: 1,
  createdBy: 'local',
  rotatedAt: null,
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
};
const user: StoredUser = {
  id: 'u1',
  name: 'Anna',
  role: 'admin',
  tags: { room: 'lab' },
  passwordHash: 'h',
  totp: null,
  totpStep: 0,
  subject: null,
  createdAt: 1,
  createdBy: 'local',
  lastSignInAt: null,
};
const collector: StoredCollector = {
  id: 'c1',
  name: 'vm',
  deviceName: 'vm',
  state: 'active',
  tags: {},
  version: '1',
  platform: 'linux',
  address: '127.0.0.1',
  joinedAt: 1,
  seenAt: 1,
};

describe.each(databases)('on $name', ({ make }) => {
  let database: Database;
  let dataSource: DataSource;
  let store: AccessStore;

  beforeEach(async () => {
    database = await make();
    dataSource = await database.another();
    store = openAccessStore(dataSource);
  });
  afterEach(async () => {
    await dataSource.destroy();
    await database.close();
  });

  describe('tokens', () => {
    it('come back as they were added, are rotated, used and revoked once', async () => {
      const { tokens } = store;
      expect(await tokens.anyUsable(5)).toBe(false);
      await tokens.add(token);
      expect(await tokens.find('t1')).toEqual(token);
      expect(await tokens.anyUsable(5)).toBe(true);
      expect(await tokens.rotate('t1', 'bb', 10, 20)).toBe(true);
      await tokens.used('t1', 11);
      expect(await tokens.find('t1')).toEqual({
        ...token,
        hash: 'bb',
        previousHash: 'aa',
        previousUntil: 20,
        rotatedAt: 10,
        lastUsedAt: 11,
      });
      expect(await tokens.rotate('t1', 'bc', 12, 20, null)).toBe(false);
      expect(await tokens.rotate('t1', 'bc', 12, 20, 9)).toBe(false);
      expect(await tokens.rotate('t1', 'bb', 12, 20, 10)).toBe(true);
      expect(await tokens.revoke('t1', 12)).toBe(true);
      expect(await tokens.revoke('t1', 13)).toBe(false);
      expect(await tokens.rotate('t1', 'cc', 14, 20)).toBe(false);
      expect(await tokens.all()).toMatchObject([{ id: 't1', revokedAt: 12, hash: 'bb' }]);
      expect(await tokens.anyUsable(15)).toBe(false);
    });

    it('that are shares of somebody are revoked together, and nothing else is', async () => {
      const { tokens } = store;
      await tokens.add({ ...token, id: 'a', kind: 'share', createdBy: 'ed' });
      await tokens.add({ ...token, id: 'b', kind: 'read', createdBy: 'ed' });
      await tokens.add({ ...token, id: 'c', kind: 'share', createdBy: 'eddy' });
      await tokens.add({ ...token, id: 'd', kind: 'share', createdBy: 'ed', revokedAt: 3 });
      await tokens.revokeSharesBy('ed', 6);
      expect((await tokens.all()).map(({ revokedAt }) => revokedAt)).toEqual([6, null, null, 3]);
    });

    it('of collectors, shares and npm start open nothing, and those of one collector go together', async () => {
      const { tokens } = store;
      await tokens.add({ ...token, id: 'a', kind: 'collector', collectorId: 'c1' });
      await tokens.add({ ...token, id: 'b', kind: 'share' });
      await tokens.add({ ...token, id: 's', createdBy: 'npm start' });
      await tokens.add({ ...token, id: 'c', expiresAt: 4 });
      expect(await tokens.anyUsable(5)).toBe(false);
      await tokens.revokeOfCollector('c1', 6);
      expect((await tokens.all()).map(({ revokedAt }) => revokedAt)).toEqual([6, null, null, null]);
    });
  });

  describe('users', () => {
    it('have names that differ in more than the case of their letters', async () => {
      const { users } = store;
      expect(await users.any()).toBe(false);
      expect(await users.add(user)).toBe(true);
      expect(await users.add({ ...user, id: 'u2', name: 'ANNA' })).toBe(false);
      expect(await users.findByName('anna')).toMatchObject(user);
      expect(await users.any()).toBe(true);
    });

    it('are first only once, whoever is quicker', async () => {
      const made = await Promise.all(
        Array.from({ length: 20 }, (_, n) => store.users.addFirst({ ...user, name: `n${n}`, passwordHash: `h${n}` })),
      );
      expect(made.filter(Boolean)).toHaveLength(1);
      expect(await store.users.all()).toHaveLength(1);
    });

    it('are changed only as what they were read, where that is asked', async () => {
      const { users } = store;
      await users.add({ ...user, tags: null });
      await users.add({ ...user, id: 'u2', name: 'Bob' });
      const bob = (await users.find('u2'))!;
      expect(await users.change('u1', { role: 'editor' }, { role: 'admin', tags: { room: 'lab' } })).toBe(false);
      expect(await users.change('u1', { tags: { room: 'lab' } }, { role: 'admin', tags: null })).toBe(true);
      expect(await users.change('u1', { tags: null }, { role: 'admin', tags: { room: 'lab' } })).toBe(true);
      expect(await users.changeUnlessLastAdmin('u2', undefined, { ...bob, role: 'viewer' })).toBe(false);
      expect(await users.changeUnlessLastAdmin('u2', undefined, bob)).toBe(true);
    });

    it('always have an admin among them', async () => {
      const { users } = store;
      await users.add(user);
      expect(await users.changeUnlessLastAdmin('u1')).toBe(false);
      expect(await users.changeUnlessLastAdmin('u1', { role: 'viewer' })).toBe(false);
      await users.add({ ...user, id: 'u2', name: 'Bob' });
      expect(await users.changeUnlessLastAdmin('u1', { role: 'viewer' })).toBe(true);
      expect(await users.changeUnlessLastAdmin('u2')).toBe(false);
      expect(await users.changeUnlessLastAdmin('u1')).toBe(true);
    });

    it('use each one-time password once', async () => {
      await store.users.add(user);
      const taken = await Promise.all([7, 7, 7].map((step) => store.users.takeTotpStep('u1', step)));
      expect(taken.filter(Boolean)).toHaveLength(1);
      expect(await store.users.takeTotpStep('u1', 6)).toBe(false);
      expect(await store.users.takeTotpStep('u1', 8)).toBe(true);
    });
  });

  it('an invitation is taken exactly as often as it allows, in time, and never once it is revoked', async () => {
    const { invitations } = store;
    const invitation = {
      uses: 0,
      maxUses: 3,
      tags: {},
      createdAt: 1,
      createdBy: 'local',
      expiresAt: 100,
      revokedAt: null,
    };
    await invitations.add({ ...invitation, id: 'i1', codeHash: 'h1' });
    await invitations.add({ ...invitation, id: 'i2', codeHash: 'h2' });
    const taken = await Promise.all(Array.from({ length: 20 }, () => invitations.take('h1', 50)));
    expect(taken.filter(Boolean)).toHaveLength(3);
    expect(await invitations.take('h2', 100)).toBeUndefined();
    expect(await invitations.anyUsable(50)).toBe(true);
    await invitations.revoke('i2', 50);
    expect(await invitations.take('h2', 50)).toBeUndefined();
    expect(await invitations.anyUsable(50)).toBe(false);
  });

  it('a device belongs to the first collector that claims it, until that is moved or gone', async () => {
    const { collectors } = store;
    await collectors.add(collector);
    expect(await collectors.claim('vm', 'c1')).toBe('c1');
    expect(await collectors.claim('vm', 'c2')).toBe('c1');
    expect(await collectors.claim('ups', 'c1')).toBe('c1');
    expect(await collectors.claimsOf('c1')).toEqual(['ups', 'vm']);
    await collectors.moveClaims('c1', 'c2');
    expect(await collectors.ownerOf('vm')).toBe('c2');
    await collectors.add({ ...collector, id: 'c2' });
    expect(await collectors.claim('vm', 'c3')).toBe('c2');
    await collectors.change('c2', { state: 'left' });
    expect(await collectors.claim('vm', 'c3')).toBe('c3');
    expect(await collectors.claimsOf('c2')).toEqual(['ups']);
    expect(await collectors.change('c1', { state: 'moved', seenAt: 9 })).toBe(true);
    expect(await collectors.find('c1')).toEqual({ ...collector, state: 'moved', seenAt: 9 });
  });

  it('of each collector the last news of its updates stays', async () => {
    const { collectors } = store;
    const update = {
      collectorId: 'c1',
      askedAt: 1,
      offered: '',
      offeredAt: 0,
      tried: '',
      result: '',
      reason: '',
      triedAt: 0,
    } as const;
    expect(await collectors.updates()).toEqual([]);
    await collectors.putUpdate(update);
    await collectors.putUpdate({ ...update, collectorId: 'c0' });
    const failed = { ...update, offered: '2', offeredAt: 2, tried: '2', result: 'failed', reason: 'ended', triedAt: 3 };
    await collectors.putUpdate({ ...failed, result: 'failed' });
    expect(await collectors.updates()).toEqual([{ ...update, collectorId: 'c0' }, failed]);
  });

  it('sessions end with their user and with time', async () => {
    const { sessions } = store;
    const session = { userId: 'u1', tokenId: null, createdAt: 1, seenAt: 1, expiresAt: 10, address: '::1' };
    for (const id of ['a', 'b']) await sessions.add({ ...session, id });
    await sessions.add({ ...session, id: 'c', userId: 'u2', expiresAt: 5 });
    await sessions.deleteOfUser('u1', 'b');
    for (const [id, tokenId] of [
      ['d', 't1'],
      ['e', 't1'],
      ['f', 't2'],
    ] as const) {
      await sessions.add({ ...session, id, userId: null, tokenId, expiresAt: id === 'e' ? 7 : 100 });
    }
    await sessions.endOfToken('t1', 9);
    await sessions.deleteExpired(6);
    expect(await sessions.find('a')).toBeUndefined();
    expect(await sessions.find('b')).toEqual({ ...session, id: 'b' });
    expect(await sessions.find('c')).toBeUndefined();
    const ends = async (id: string): Promise<number | undefined> => (await sessions.find(id))?.expiresAt;
    expect([await ends('d'), await ends('e'), await ends('f')]).toEqual([9, 7, 100]);
  });

  it('the audit is read from the newest on, and nothing changes it', async () => {
    const entry = { actor: 'local', address: '::1', action: 'a', target: 't', success: true, details: { k: 'v' } };
    for (let at = 1; at <= 5; at += 1) await store.audit.add({ ...entry, at });
    const page = await store.audit.read(Infinity, 2);
    expect(page.map(({ at }) => at)).toEqual([5, 4]);
    expect(await store.audit.read(page[1]?.id ?? 0, 9)).toHaveLength(3);
    expect([await store.audit.last(entry.action), await store.audit.last('x')]).toEqual([page[0], undefined]);
    await expect(dataSource.query('DELETE FROM audit')).rejects.toThrow('append-only');
    await expect(dataSource.query(`UPDATE audit SET actor = 'x'`)).rejects.toThrow('append-only');
  });

  it('of several processes one does work with updates at a time', async () => {
    const others = await Promise.all([1, 2].map(() => database.another()));
    let [inside, most] = [0, 0];
    const work = async (): Promise<void> => {
      most = Math.max(most, (inside += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside -= 1;
    };
    const stores = others.map((other) => openAccessStore(other));
    for (let round = 0; round < 5; round += 1)
      await Promise.all(stores.map(({ collectors }) => collectors.alone(work)));
    expect(most).toBe(database.isShared ? 1 : stores.length);
    await expect(stores[0]?.collectors.alone(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await stores[1]?.collectors.alone(work);
    for (const other of others) await other.destroy();
  });
});

it('a database of the version before opens with everything in it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'access-store-'));
  const options = dataSourceOptions(join(folder, 'old.db'));
  const before = migrations.filter((migration) => !migration.name.startsWith('Access'));
  const sample = { deviceName: 'lab-pc-1', metricName: 'm', unit: '1', labels: {}, timestamp: Date.now(), value: 1 };
  const old = await new DataSource({ ...options, migrations: before }).initialize();
  const samples = await openSampleStore(old);
  await samples.append([sample]);
  await samples.close();
  await old.destroy();

  const now = await new DataSource(options).initialize();
  const again = await openSampleStore(now);
  expect(await again.latest(await again.findSeries({}))).toMatchObject([{ value: 1 }]);
  expect(await openAccessStore(now).users.any()).toBe(false);
  await again.close();
  await now.destroy();
  await rm(folder, { recursive: true });
});
