import type { Repository } from 'typeorm';
import { MADE_BY_START, type StoredToken, type TokenStore } from './access-store.js';
import type { TokenEntity } from './access.entities.js';

export class Tokens implements TokenStore {
  constructor(private readonly rows: Repository<TokenEntity>) {}

  async add(token: StoredToken): Promise<void> {
    await this.rows.insert({ ...token, devices: token.devices && [...token.devices] });
  }

  async find(id: string): Promise<StoredToken | undefined> {
    return (await this.rows.findOneBy({ id })) ?? undefined;
  }

  all(): Promise<StoredToken[]> {
    return this.rows.find({ order: { createdAt: 'ASC', id: 'ASC' } });
  }

  async anyUsable(now: number): Promise<boolean> {
    const found = await this.rows
      .createQueryBuilder()
      .where(`kind IN ('ingest', 'read', 'admin') AND created_by <> :start AND revoked_at IS NULL`, {
        start: MADE_BY_START,
      })
      .andWhere('(expires_at IS NULL OR expires_at > :now)', { now })
      .limit(1)
      .getOne();
    return found !== null;
  }

  async rotate(
    id: string,
    hash: string,
    now: number,
    previousUntil: number,
    rotatedBefore?: number | null,
  ): Promise<boolean> {
    const statement = this.rows
      .createQueryBuilder()
      .update()
      .set({ previousHash: () => 'hash', previousUntil, hash, rotatedAt: now })
      .where('id = :id AND revoked_at IS NULL', { id });
    if (rotatedBefore !== undefined) {
      statement.andWhere('coalesce(rotated_at, -1) = :rotatedBefore', { rotatedBefore: rotatedBefore ?? -1 });
    }
    return (await statement.execute()).affected === 1;
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

  async revokeSharesBy(by: string, now: number): Promise<void> {
    await this.rows
      .createQueryBuilder()
      .update()
      .set({ revokedAt: now })
      .where(`kind = 'share' AND created_by = :by AND revoked_at IS NULL`, { by })
      .execute();
  }

  async revokeOfCollector(collectorId: string, now: number): Promise<void> {
    await this.rows
      .createQueryBuilder()
      .update()
      .set({ revokedAt: now })
      .where('collector_id = :collectorId AND revoked_at IS NULL', { collectorId })
      .execute();
  }

  async used(id: string, now: number): Promise<void> {
    await this.rows.update({ id }, { lastUsedAt: now });
  }
}
