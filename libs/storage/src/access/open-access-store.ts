import { LessThan, MoreThan, type DataSource, type Repository } from 'typeorm';
import type {
  AccessStore,
  AuditEntry,
  AuditStore,
  CollectorChange,
  CollectorStore,
  InvitationStore,
  SessionStore,
  StoredAuditEntry,
  StoredCollector,
  StoredInvitation,
  StoredSession,
  StoredUpdate,
} from './access-store.js';
import {
  AuditEntity,
  CollectorDeviceEntity,
  CollectorEntity,
  CollectorUpdateEntity,
  InvitationEntity,
  SessionEntity,
  TokenEntity,
  UserEntity,
} from './access.entities.js';
import { sqlOf, type Sql } from '../sql.js';
import { Tokens } from './tokens.js';
import { Users } from './users.js';

/** On a DataSource that has been initialized with `dataSourceOptions`. Single statements only: see there. */
export function openAccessStore(dataSource: DataSource): AccessStore {
  return {
    tokens: new Tokens(dataSource.getRepository(TokenEntity)),
    users: new Users(dataSource.getRepository(UserEntity)),
    sessions: new Sessions(dataSource.getRepository(SessionEntity)),
    invitations: new Invitations(dataSource.getRepository(InvitationEntity)),
    collectors: new Collectors(
      dataSource.getRepository(CollectorEntity),
      dataSource.getRepository(CollectorDeviceEntity),
      dataSource.getRepository(CollectorUpdateEntity),
      sqlOf(dataSource),
    ),
    audit: new Audit(dataSource.getRepository(AuditEntity)),
  };
}

class Sessions implements SessionStore {
  constructor(private readonly rows: Repository<SessionEntity>) {}

  async add(session: StoredSession): Promise<void> {
    await this.rows.insert(session);
  }

  async find(id: string): Promise<StoredSession | undefined> {
    return (await this.rows.findOneBy({ id })) ?? undefined;
  }

  async seen(id: string, now: number): Promise<void> {
    await this.rows.update({ id }, { seenAt: now });
  }

  async delete(id: string): Promise<void> {
    await this.rows.delete({ id });
  }

  async deleteOfUser(userId: string, except = ''): Promise<void> {
    await this.rows
      .createQueryBuilder()
      .delete()
      .where('user_id = :userId AND id <> :except', { userId, except })
      .execute();
  }

  async endOfToken(tokenId: string, until: number): Promise<void> {
    await this.rows.update({ tokenId, expiresAt: MoreThan(until) }, { expiresAt: until });
  }

  async deleteExpired(now: number): Promise<void> {
    await this.rows.delete({ expiresAt: LessThan(now) });
  }
}

const USABLE = 'uses < max_uses AND expires_at > :now AND revoked_at IS NULL';

class Invitations implements InvitationStore {
  constructor(private readonly rows: Repository<InvitationEntity>) {}

  async add(invitation: StoredInvitation): Promise<void> {
    await this.rows.insert(invitation);
  }

  async take(codeHash: string, now: number): Promise<StoredInvitation | undefined> {
    const { affected } = await this.rows
      .createQueryBuilder()
      .update()
      .set({ uses: () => 'uses + 1' })
      .where(`code_hash = :codeHash AND ${USABLE}`, { codeHash, now })
      .execute();
    return affected === 1 ? ((await this.rows.findOneBy({ codeHash })) ?? undefined) : undefined;
  }

  all(): Promise<StoredInvitation[]> {
    return this.rows.find({ order: { createdAt: 'ASC', id: 'ASC' } });
  }

  async anyUsable(now: number): Promise<boolean> {
    return (await this.rows.createQueryBuilder().where(USABLE, { now }).limit(1).getOne()) !== null;
  }

  async revoke(id: string, now: number): Promise<boolean> {
    const { affected } = await this.rows
      .createQueryBuilder()
      .update()
      .set({ revokedAt: now })
      .where('id = :id AND revoked_at IS NULL', { id })
      .execute();
    return affected === 1;
  }
}

/** A number that only this work locks. */
const COLLECTORS_LOCK = 4_719_803_212;

class Collectors implements CollectorStore {
  constructor(
    private readonly rows: Repository<CollectorEntity>,
    private readonly claims: Repository<CollectorDeviceEntity>,
    private readonly updateRows: Repository<CollectorUpdateEntity>,
    private readonly sql: Sql,
  ) {}

  async add(collector: StoredCollector): Promise<void> {
    await this.rows.insert(collector);
  }

  async find(id: string): Promise<StoredCollector | undefined> {
    return (await this.rows.findOneBy({ id })) ?? undefined;
  }

  all(): Promise<StoredCollector[]> {
    return this.rows.find({ order: { deviceName: 'ASC', joinedAt: 'ASC' } });
  }

  async change(id: string, change: CollectorChange): Promise<boolean> {
    return (await this.rows.update({ id }, change)).affected === 1;
  }

  async claim(deviceName: string, collectorId: string): Promise<string> {
    await this.claims.createQueryBuilder().insert().values({ deviceName, collectorId }).orIgnore().execute();
    const gone = this.rows.createQueryBuilder('c').select('c.id').where(`c.state IN ('left', 'revoked')`);
    await this.claims
      .createQueryBuilder()
      .update()
      .set({ collectorId })
      .where(`device_name = :deviceName AND collector_id IN (${gone.getQuery()})`, { deviceName })
      .execute();
    return (await this.ownerOf(deviceName)) ?? collectorId;
  }

  async ownerOf(deviceName: string): Promise<string | undefined> {
    return (await this.claims.findOneBy({ deviceName }))?.collectorId;
  }

  async claimsOf(collectorId: string): Promise<string[]> {
    const claims = await this.claims.find({ where: { collectorId }, order: { deviceName: 'ASC' } });
    return claims.map(({ deviceName }) => deviceName);
  }

  async moveClaims(from: string, to: string): Promise<void> {
    await this.claims.update({ collectorId: from }, { collectorId: to });
  }

  updates(): Promise<StoredUpdate[]> {
    return this.updateRows.find({ order: { collectorId: 'ASC' } });
  }

  async putUpdate(update: StoredUpdate): Promise<void> {
    await this.updateRows.upsert(update, ['collectorId']);
  }

  alone<T>(work: () => Promise<T>): Promise<T> {
    return this.sql.alone(COLLECTORS_LOCK, work);
  }
}

class Audit implements AuditStore {
  constructor(private readonly rows: Repository<AuditEntity>) {}

  async add(entry: AuditEntry): Promise<void> {
    await this.rows.insert(entry);
  }

  read(before: number, limit: number): Promise<StoredAuditEntry[]> {
    const below = Number.isFinite(before) ? { where: { id: LessThan(before) } } : { where: { id: MoreThan(0) } };
    return this.rows.find({ ...below, order: { id: 'DESC' }, take: limit });
  }

  async last(action: string): Promise<StoredAuditEntry | undefined> {
    return (await this.rows.find({ where: { action }, order: { id: 'DESC' }, take: 1 }))[0];
  }
}
