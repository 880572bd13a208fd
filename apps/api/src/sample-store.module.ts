import { reasonOf } from '@device-metrics/domain';
import { Inject, Logger, Module, type OnApplicationShutdown } from '@nestjs/common';
import { getDataSourceToken, TypeOrmModule } from '@nestjs/typeorm';
import {
  dataSourceOptions,
  durabilityOf,
  openAccessStore,
  openAlertStore,
  openConfigurationStore,
  openDataSource,
  openMetadataStore,
  openSampleStore,
  type Store,
} from '@device-metrics/storage';
import type { DataSource, DataSourceOptions } from 'typeorm';
import { ACCESS_STORE } from './access/access-store.js';
import { limitToCaller } from './access/limit-store.js';
import { ALERT_STORE } from './alerts/alert-store.token.js';
import { CONFIGURATION_STORE } from './configurations/configuration-store.token.js';
import { METADATA_STORE } from './metadata/metadata-store.token.js';
import { SAMPLE_STORE } from './sample-store.token.js';
import { apiConfig, databaseOf, type ApiConfig } from './settings.js';

const onProblem = (problem: unknown): void => {
  new Logger('storage').error(reasonOf(problem));
};

/** What an acknowledgement is worth on this server. */
async function sayDurability(dataSource: DataSource): Promise<void> {
  const durability = await durabilityOf(dataSource);
  if (durability) new Logger('storage')[durability.isSafe ? 'log' : 'warn'](durability.said);
}

/** Opens the database at the start and closes it at the stop. */
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [apiConfig.KEY],
      // A database that can't be opened now is no better in 3 s: fail at once, with the reason.
      useFactory: (config: ApiConfig) => ({ ...dataSourceOptions(databaseOf(config)), retryAttempts: 0 }),
      dataSourceFactory: (options) => openDataSource(options as DataSourceOptions),
    }),
  ],
  providers: [
    {
      provide: SAMPLE_STORE,
      inject: [getDataSourceToken(), apiConfig.KEY],
      useFactory: async (dataSource: DataSource, config: ApiConfig) => {
        await sayDurability(dataSource);
        const { rawRetention, hourlyRetention, maxSeriesPerDevice, maxNewSeriesPerMinute } = config;
        const store = await openSampleStore(dataSource, {
          rawRetention,
          hourlyRetention,
          maxSeriesPerDevice,
          maxNewSeriesPerMinute,
          connections: config.databaseConnections,
          onProblem,
        });
        return limitToCaller(store);
      },
    },
    { provide: ACCESS_STORE, inject: [getDataSourceToken()], useFactory: openAccessStore },
    { provide: METADATA_STORE, inject: [getDataSourceToken()], useFactory: openMetadataStore },
    { provide: CONFIGURATION_STORE, inject: [getDataSourceToken()], useFactory: openConfigurationStore },
    { provide: ALERT_STORE, inject: [getDataSourceToken()], useFactory: openAlertStore },
  ],
  exports: [METADATA_STORE, SAMPLE_STORE, ACCESS_STORE, ALERT_STORE, CONFIGURATION_STORE],
})
export class SampleStoreModule implements OnApplicationShutdown {
  constructor(@Inject(SAMPLE_STORE) private readonly store: Store) {}

  async onApplicationShutdown(): Promise<void> {
    await this.store.close();
  }
}
