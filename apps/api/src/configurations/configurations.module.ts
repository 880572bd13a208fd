import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { SampleStoreModule } from '../sample-store.module.js';
import { ConfigurationsController } from './configurations.controller.js';
import { Configurations } from './configurations.js';

/** What collectors read by the tags of their devices. */
@Module({
  imports: [AccessModule, SampleStoreModule],
  controllers: [ConfigurationsController],
  providers: [Configurations],
})
export class ConfigurationsModule {}
