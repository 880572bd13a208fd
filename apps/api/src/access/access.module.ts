import { Module } from '@nestjs/common';
import { SampleStoreModule } from '../sample-store.module.js';
import { Audit } from './audit/audit.js';
import { AuditController } from './audit/audit.controller.js';
import { Authenticate } from './authenticate.js';
import { Guard } from './guard.js';
import { MayOpen } from './may-open.js';
import { TokensController } from './tokens/tokens.controller.js';

/** Who calls, and what they may do. */
@Module({
  imports: [SampleStoreModule],
  controllers: [TokensController, AuditController],
  providers: [Authenticate, Guard, Audit, MayOpen],
  exports: [Authenticate, Guard, Audit],
})
export class AccessModule {}
