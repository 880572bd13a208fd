import { relative } from 'node:path';
import { Inject, Injectable } from '@nestjs/common';
import { commandLine, isInstalled } from '@device-metrics/settings';
import type { AccessStore } from '@device-metrics/storage';
import { apiConfig, type ApiConfig } from '../settings.js';
import { ACCESS_STORE } from './access-store.js';
import { isLoopbackName } from './check-host.js';

/** Whether the server may listen where other machines reach it. */
@Injectable()
export class MayOpen {
  constructor(
    @Inject(ACCESS_STORE) private readonly store: AccessStore,
    @Inject(apiConfig.KEY) private readonly config: ApiConfig,
  ) {}

  /** Why it may not listen on this address, and what to do; undefined where it may. */
  async whyNot(host: string): Promise<string | undefined> {
    if (isLoopbackName(host) || (await this.isAnybodyKnown())) return undefined;
    const command = isInstalled() ? commandLine('api') : `node ${relative(process.cwd(), process.argv[1] ?? '')}`;
    return (
      `HOST ${host} lets other machines in, and nobody has a token yet: first run \`${command} invite\` for a code that lets a ` +
      `collector join, or \`${command} token create admin --name me\` for a token, and then start again.`
    );
  }

  private async isAnybodyKnown(): Promise<boolean> {
    const { tokens, users, invitations } = this.store;
    if (this.config.openId.issuer !== '') return true;
    const now = Date.now();
    return (await users.any()) || (await tokens.anyUsable(now)) || (await invitations.anyUsable(now));
  }
}
