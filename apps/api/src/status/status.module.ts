import { Module } from '@nestjs/common';
import type { AlertStore, Store } from '@device-metrics/storage';
import { ALERT_STORE } from '../alerts/alert-store.token.js';
import { DeviceRhythms } from '../devices/device-rhythms.js';
import { DevicesModule } from '../devices/devices.module.js';
import { SAMPLE_STORE, SampleStoreModule } from '../sample-store.module.js';
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
      useFactory: (store: Store, documents: AlertStore, rhythms: DeviceRhythms, { alerts }: ApiConfig) =>
        StatusPage.open(store, documents, rhythms, alerts.timeZone),
    },
  ],
})
export class StatusModule {}
