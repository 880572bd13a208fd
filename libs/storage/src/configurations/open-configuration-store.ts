import { IsNull, Not, type DataSource, type Repository } from 'typeorm';
import type { ConfigurationStore, StoredConfiguration, StoredConfigurationState } from './configuration-store.js';
import { ConfigurationEntity, ConfigurationStateEntity } from './configuration.entities.js';

/** On a DataSource that has been initialized with `dataSourceOptions`. Single statements only: see there. */
export const openConfigurationStore = (dataSource: DataSource): ConfigurationStore =>
  new Configurations(dataSource.getRepository(ConfigurationEntity), dataSource.getRepository(ConfigurationStateEntity));

class Configurations implements ConfigurationStore {
  constructor(
    private readonly rows: Repository<ConfigurationEntity>,
    private readonly stateRows: Repository<ConfigurationStateEntity>,
  ) {}

  current(): Promise<StoredConfiguration[]> {
    const newest = this.rows
      .createQueryBuilder('other')
      .select('MAX(other.version)')
      .where('other.tag = configuration.tag');
    return this.rows
      .createQueryBuilder('configuration')
      .where(`configuration.version = (${newest.getQuery()})`)
      .andWhere({ text: Not(IsNull()) })
      .orderBy('configuration.tag')
      .getMany();
  }

  history(tag: string, limit: number): Promise<StoredConfiguration[]> {
    return this.rows.find({ where: { tag }, order: { version: 'DESC' }, take: limit });
  }

  async find(tag: string, version: number): Promise<StoredConfiguration | undefined> {
    return (await this.rows.findOneBy({ tag, version })) ?? undefined;
  }

  async add(configuration: StoredConfiguration): Promise<boolean> {
    const { tag, version, text, changedAt, changedBy } = configuration;
    await this.rows.createQueryBuilder().insert().values(configuration).orIgnore().execute();
    const now = await this.find(tag, version);
    return now?.text === text && now.changedAt === changedAt && now.changedBy === changedBy;
  }

  states(): Promise<StoredConfigurationState[]> {
    return this.stateRows.find({ order: { collectorId: 'ASC' } });
  }

  async putState(state: StoredConfigurationState): Promise<void> {
    await this.stateRows.upsert(state, ['collectorId']);
  }
}
