import { Module } from '@nestjs/common';
import { apiConfig, type ApiConfig } from '../settings.js';
import { SampleStoreModule } from '../sample-store.module.js';
import { Audit } from './audit/audit.js';
import { AuditController } from './audit/audit.controller.js';
import { Authenticate } from './authenticate.js';
import { CollectorsController } from './collectors/collectors.controller.js';
import { JoinController } from './collectors/join.controller.js';
import { JoinTags } from './collectors/join-tags.js';
import { Guard } from './guard.js';
import { InvitationsController } from './invitations/invitations.controller.js';
import { MayOpen } from './may-open.js';
import { Certificate } from './tls/certificate.js';
import { CERTIFICATE, tlsMaterial } from './tls/tls-material.js';
import { TokensController } from './tokens/tokens.controller.js';

/** Who calls, and what they may do. */
@Module({
  imports: [SampleStoreModule],
  controllers: [TokensController, InvitationsController, JoinController, CollectorsController, AuditController],
  providers: [
    Authenticate,
    Guard,
    Audit,
    MayOpen,
    JoinTags,
    {
      provide: CERTIFICATE,
      inject: [apiConfig.KEY],
      useFactory: async (settings: ApiConfig) => {
        const material = await tlsMaterial(settings, Date.now());
        return material && new Certificate(material);
      },
    },
  ],
  exports: [Authenticate, Guard, Audit, JoinTags],
})
export class AccessModule {}
