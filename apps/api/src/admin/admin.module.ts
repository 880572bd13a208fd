import { Module } from '@nestjs/common';
import { SampleStoreModule } from '../sample-store.module.js';
import { AdminController } from './admin.controller.js';
import { Backup } from './backup.js';

/** What an operator does. */
@Module({ imports: [SampleStoreModule], controllers: [AdminController], providers: [Backup] })
export class AdminModule {}
