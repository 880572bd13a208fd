import { Module } from '@nestjs/common';
import { SampleStoreModule } from '../sample-store.module.js';
import { PrintController } from './print/print.controller.js';
import { ReportsController } from './reports.controller.js';

/** Answers questions about what is stored. */
@Module({ imports: [SampleStoreModule], controllers: [ReportsController, PrintController] })
export class ReportingModule {}
