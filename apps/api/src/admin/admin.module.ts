import { Module } from '@nestjs/common';
import { MonitoringModule } from '../monitoring/monitoring.module.js';
import { SampleStoreModule } from '../sample-store.module.js';
import { AdminController } from './admin.controller.js';
import { ScheduledBackups } from './scheduled-backups.js';
import { Backup } from './backup.js';

/** What an operator does. */
@Module({
  imports: [SampleStoreModule, MonitoringModule],
  controllers: [AdminController],
  providers: [Backup, ScheduledBackups],
})
export class AdminModule {}
