import { Module } from '@nestjs/common';
import { AccessModule } from '../access/access.module.js';
import { PackagesController } from './packages.controller.js';
import { Packages } from './packages.js';

/** How the collector gets onto PCs. */
@Module({ imports: [AccessModule], controllers: [PackagesController], providers: [Packages] })
export class PackagesModule {}
