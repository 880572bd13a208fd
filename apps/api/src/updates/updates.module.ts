import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { SampleStoreModule } from '../sample-store.module.js';
import { PackagesController } from '../packages/packages.controller.js';
import { Packages } from '../packages/packages.js';
import { Updates } from './updates.js';
import { UpdatesController } from './updates.controller.js';

/** How the collector gets onto PCs, and newer versions of it too. */
@Module({
  imports: [AccessModule, SampleStoreModule],
  controllers: [PackagesController, UpdatesController],
  providers: [Packages, Updates],
})
export class UpdatesModule {}
