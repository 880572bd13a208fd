import {
  Inject,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { reasonOf } from '@device-metrics/domain';
import { SettingsError } from '@device-metrics/settings';
import type { AlertStore, Store } from '@device-metrics/storage';
import type { FastifyInstance } from 'fastify';
import { DeviceRhythms } from '../devices/device-rhythms.js';
import { DevicesModule } from '../devices/devices.module.js';
import { SecretBox } from '../access/sessions/secret-box.js';
import { signingKey } from '../access/sessions/signing-key.js';
import { sealChannels } from './notify/seal-channels.js';
import { Problem } from '../http/problem.js';
import { Arrivals } from '../live/arrivals.js';
import { LiveModule } from '../live/live.module.js';
import { ApiMetrics } from '../monitoring/api-metrics.js';
import { MonitoringModule } from '../monitoring/monitoring.module.js';
import { SampleStoreModule } from '../sample-store.module.js';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { apiConfig, type ApiConfig } from '../settings.js';
import { AlertLinksController } from './alert-links.controller.js';
import { ALERT_STORE } from './alert-store.token.js';
import { NO_FILE, readAlertsFile } from './alerts-file.js';
import { AlertSetupController } from './alert-setup.controller.js';
import { Alerts, type AlertsOptions } from './alerts.js';
import { AlertsController } from './alerts.controller.js';
import { AlertTimers } from './timers.js';
import { MistakesError } from './reader.js';
import { OwnNumbers } from './server-numbers.js';
import { waitingByChannel } from './telling/queues.js';

const elapsed = (): number => performance.now();

/** @throws SettingsError with every mistake in the file, where `act` finds any. */
async function ofFile<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error;
    throw new SettingsError(error.mistakes.map(({ field, reason }) => `ALERTS_FILE ${path}: ${field} ${reason}`));
  }
}

/** Watches what is measured, and tells people when something is wrong. */
@Module({
  imports: [DevicesModule, LiveModule, MonitoringModule, SampleStoreModule],
  controllers: [AlertsController, AlertSetupController, AlertLinksController],
  providers: [
    AlertTimers,
    {
      provide: Alerts,
      inject: [SAMPLE_STORE, ALERT_STORE, DeviceRhythms, Arrivals, ApiMetrics, apiConfig.KEY],
      useFactory: async (
        store: Store,
        alertStore: AlertStore,
        rhythms: DeviceRhythms,
        arrivals: Arrivals,
        metrics: ApiMetrics,
        { alerts, alertVariables, databasePath }: ApiConfig,
      ) => {
        const box = SecretBox.beside(databasePath);
        const file = await ofFile(alerts.file, async () =>
          alerts.file === '' ? NO_FILE : readAlertsFile(alerts.file),
        );
        const options: AlertsOptions = {
          store,
          alertStore: sealChannels(alertStore, box),
          linkKey: await signingKey(alertStore, box, 'links', Date.now()),
          rhythms,
          arrivals,
          server: new OwnNumbers(store, metrics, databasePath, elapsed),
          clock: { now: () => store.now(), elapsed },
          file,
          secrets: { environment: alertVariables, folder: alerts.secretsPath || undefined },
          publicUrl: alerts.publicUrl.replace(/\/+$/, '') || undefined,
          timeZone: alerts.timeZone,
          retention: alerts.retention,
          onProblem: (problem) => new Logger('alerts').warn(problem),
          onOutcome: (channel, outcome, messages) => metrics.alertMessages[outcome].inc({ channel }, messages),
        };
        metrics.addWaitingMessages(() => waitingByChannel(alertStore));
        return ofFile(alerts.file, () => Alerts.open(options));
      },
    },
  ],
})
export class AlertsModule implements OnModuleInit, OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly timers: AlertTimers,
    @Inject(Alerts) private readonly alerts: Alerts,
  ) {}

  /** The button on the page behind a link sends an empty form; to protocols of others a form is bytes; nothing else takes forms. */
  onModuleInit(): void {
    const server = this.adapterHost.httpAdapter.getInstance<FastifyInstance>();
    server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer' }, (request, body, done) => {
      if (request.is404 || request.routeOptions.config.speaks) return done(null, body);
      if (request.url.startsWith('/api/v1/alerts/act/')) return done(null, {});
      done(new Problem('unsupported-content', 'The content type must be application/json, got a form.'));
    });
  }

  onApplicationBootstrap(): void {
    this.timers.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.timers.stop();
    await this.alerts.close().catch((error: unknown) => new Logger('alerts').error(reasonOf(error)));
  }
}
