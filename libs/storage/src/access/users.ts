import type { Repository } from 'typeorm';
import type { StoredUser, UserChange, UserStore } from './access-store.js';
import type { UserEntity } from './access.entities.js';

const keyOf = (name: string): string => name.normalize('NFKC').toLowerCase();

type As = Pick<StoredUser, 'role' | 'tags'>;

/** Of a statement about one admin: there is another one. */
const NOT_LAST_ADMIN = `(role <> 'admin' OR EXISTS (SELECT 1 FROM "user" other WHERE other.role = 'admin' AND other.id <> :id))`;

export class Users implements UserStore {
  constructor(private readonly rows: Repository<UserEntity>) {}

  async add(user: StoredUser): Promise<boolean> {
    await this.rows
      .createQueryBuilder()
      .insert()
      .values({ ...user, nameKey: keyOf(user.name) })
      .orIgnore()
      .execute();
    return (await this.find(user.id)) !== undefined;
  }

  async addFirst(user: StoredUser): Promise<boolean> {
    // TypeORM knows no INSERT … SELECT. Its id is the same for every first user, so that there can be only one.
    const first = { ...user, id: 'first', nameKey: keyOf(user.name) };
    if (await this.any()) return false;
    await this.rows.createQueryBuilder().insert().values(first).orIgnore().execute();
    return (await this.rows.findOneBy({ id: first.id }))?.passwordHash === user.passwordHash;
  }

  async find(id: string): Promise<StoredUser | undefined> {
    return (await this.rows.findOneBy({ id })) ?? undefined;
  }

  async findByName(name: string): Promise<StoredUser | undefined> {
    return (await this.rows.findOneBy({ nameKey: keyOf(name) })) ?? undefined;
  }

  async findBySubject(subject: string): Promise<StoredUser | undefined> {
    return (await this.rows.findOneBy({ subject })) ?? undefined;
  }

  all(): Promise<StoredUser[]> {
    return this.rows.find({ order: { nameKey: 'ASC' } });
  }

  any(): Promise<boolean> {
    return this.rows.exists();
  }

  change(id: string, change: UserChange, as?: As): Promise<boolean> {
    return this.changeWhere('id = :id', id, change, as);
  }

  changeUnlessLastAdmin(id: string, change?: UserChange, as?: As): Promise<boolean> {
    return this.changeWhere(`id = :id AND ${NOT_LAST_ADMIN}`, id, change, as);
  }

  private async changeWhere(where: string, id: string, change?: UserChange, as?: As): Promise<boolean> {
    const builder = this.rows.createQueryBuilder();
    const statement = (change ? builder.update().set(change) : builder.delete()).where(where, { id });
    if (as) {
      const tags = as.tags === null ? '' : JSON.stringify(as.tags);
      statement.andWhere(`role = :wasRole AND coalesce(tags, '') = :wasTags`, { wasRole: as.role, wasTags: tags });
    }
    return (await statement.execute()).affected === 1;
  }

  async takeTotpStep(id: string, step: number): Promise<boolean> {
    const { affected } = await this.rows
      .createQueryBuilder()
      .update()
      .set({ totpStep: step })
      .where('id = :id AND totp_step < :step', { id, step })
      .execute();
    return affected === 1;
  }
}
