import { Module } from '@nestjs/common';
import type { AlertStore, Store } from '@device-metrics/storage';
import { SecretBox } from '../access/sessions/secret-box.js';
import { signingKey } from '../access/sessions/signing-key.js';
import { ALERT_STORE } from '../alerts/alert-store.token.js';
import { DeviceRhythms } from '../devices/device-rhythms.js';
import { DevicesModule } from '../devices/devices.module.js';
import { SampleStoreModule } from '../sample-store.module.js';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { apiConfig, type ApiConfig } from '../settings.js';
import { StatusPage } from './status-page.js';
import { StatusController } from './status.controller.js';

/** The status page that everybody may read. */
@Module({
  imports: [DevicesModule, SampleStoreModule],
  controllers: [StatusController],
  providers: [
    {
      provide: StatusPage,
      inject: [SAMPLE_STORE, ALERT_STORE, DeviceRhythms, apiConfig.KEY],
      useFactory: async (
        store: Store,
        documents: AlertStore,
        rhythms: DeviceRhythms,
        { alerts, databasePath }: ApiConfig,
      ) => {
        const key = await signingKey(documents, SecretBox.beside(databasePath), 'status', Date.now());
        return new StatusPage(store, documents, rhythms, alerts.timeZone, key);
      },
    },
  ],
})
export class StatusModule {}
