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
import { Rates } from './limits/rates.js';
import { LastingAccesses } from './lasting-access.js';
import { MayOpen } from './may-open.js';
import { Certificate } from './tls/certificate.js';
import { FirstAdminCode } from './sessions/first-admin.js';
import { SessionController } from './sessions/session.controller.js';
import { SignIn } from './sessions/sign-in.js';
import { OneTimePasswords } from './sessions/totp.js';
import { OpenIdController } from './openid/openid.controller.js';
import { OpenIdProvider } from './openid/openid-provider.js';
import { SharesController } from './shares/shares.controller.js';
import { UsersController } from './users/users.controller.js';
import { CERTIFICATE, tlsMaterial } from './tls/tls-material.js';
import { UPDATE_KEY, updateKeyOf } from './update-key.js';
import { TokensController } from './tokens/tokens.controller.js';

/** Who calls, and what they may do. */
@Module({
  imports: [SampleStoreModule],
  controllers: [
    SessionController,
    OpenIdController,
    UsersController,
    SharesController,
    TokensController,
    InvitationsController,
    JoinController,
    CollectorsController,
    AuditController,
  ],
  providers: [
    Authenticate,
    Guard,
    Rates,
    Audit,
    MayOpen,
    JoinTags,
    SignIn,
    OpenIdProvider,
    LastingAccesses,
    OneTimePasswords,
    FirstAdminCode,
    {
      provide: CERTIFICATE,
      inject: [apiConfig.KEY],
      useFactory: async (settings: ApiConfig) => {
        const material = await tlsMaterial(settings, Date.now());
        return material && new Certificate(material);
      },
    },
    { provide: UPDATE_KEY, inject: [apiConfig.KEY], useFactory: updateKeyOf },
  ],
  exports: [CERTIFICATE, UPDATE_KEY, Authenticate, Guard, Rates, Audit, JoinTags, LastingAccesses],
})
export class AccessModule {}
