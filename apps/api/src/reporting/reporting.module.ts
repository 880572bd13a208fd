import { Module } from '@nestjs/common';
import { DevicesModule } from '../devices/devices.module.js';
import { MonitoringModule } from '../monitoring/monitoring.module.js';
import { MetadataModule } from '../metadata/metadata.module.js';
import { SampleStoreModule } from '../sample-store.module.js';
import { PrintController } from './print/print.controller.js';
import { ScheduledReports } from './print/scheduled-reports.js';
import { ReportsController } from './reports.controller.js';

/** Answers questions about what is stored. */
@Module({
  imports: [SampleStoreModule, MetadataModule, DevicesModule, MonitoringModule],
  controllers: [ReportsController, PrintController],
  providers: [ScheduledReports],
})
export class ReportingModule {}
