import { Module } from '@nestjs/common';
import { DevicesModule } from '../devices/devices.module.js';
import { SampleStoreModule } from '../sample-store.module.js';
import { ReportsController } from './reports.controller.js';

/** Answers questions about what is stored. */
@Module({ imports: [SampleStoreModule, DevicesModule], controllers: [ReportsController] })
export class ReportingModule {}
