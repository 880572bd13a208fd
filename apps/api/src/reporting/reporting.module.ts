import { Module } from '@nestjs/common';
import { SampleStoreModule } from '../sample-store.module.js';
import { ReportsController } from './reports.controller.js';

/** Answers questions about what is stored. */
@Module({ imports: [SampleStoreModule], controllers: [ReportsController] })
export class ReportingModule {}
