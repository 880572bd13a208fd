import { Module } from '@nestjs/common';
import { SampleStoreModule } from '../sample-store.module.js';
import { DeviceRhythms } from './device-rhythms.js';
import { DevicesController } from './devices.controller.js';

/** Inventory and status of the devices. */
@Module({
  imports: [SampleStoreModule],
  controllers: [DevicesController],
  providers: [DeviceRhythms],
  exports: [DeviceRhythms],
})
export class DevicesModule {}
