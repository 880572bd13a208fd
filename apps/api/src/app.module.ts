import { Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { AccessModule } from './access/access.module.js';
import { AdminModule } from './admin/admin.module.js';
import { AggregatorModule } from './aggregator/aggregator.module.js';
import { AlertsModule } from './alerts/alerts.module.js';
import { ConfigurationsModule } from './configurations/configurations.module.js';
import { apiConfig } from './settings.js';
import { DevicesModule } from './devices/devices.module.js';
import { LiveModule } from './live/live.module.js';
import { MonitoringModule } from './monitoring/monitoring.module.js';
import { UpdatesModule } from './updates/updates.module.js';
import { ReportingModule } from './reporting/reporting.module.js';
import { StatusModule } from './status/status.module.js';

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, ignoreEnvFile: true, load: [apiConfig] }),
    MonitoringModule,
    AccessModule,
    AggregatorModule,
    DevicesModule,
    ReportingModule,
    LiveModule,
    AlertsModule,
    StatusModule,
    UpdatesModule,
    ConfigurationsModule,
    AdminModule,
  ],
})
export class AppModule {}
