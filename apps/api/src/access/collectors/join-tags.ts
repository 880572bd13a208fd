import { Inject, Injectable } from '@nestjs/common';
import type { AccessStore, Store, StoredCollector } from '@device-metrics/storage';
import { SAMPLE_STORE } from '../../sample-store.token.js';
import { ACCESS_STORE } from '../access-store.js';

/** Gives devices the tags of the invitation that they joined with, once: as soon as there is the device. */
@Injectable()
export class JoinTags {
  private readonly given = new Set<string>();

  constructor(
    @Inject(ACCESS_STORE) private readonly access: AccessStore,
    @Inject(SAMPLE_STORE) private readonly store: Store,
  ) {}

  /** Tags that somebody has given the device meanwhile stay. */
  async give({ id, tags, deviceName, state }: StoredCollector): Promise<void> {
    if (state !== 'active' || this.given.has(id) || Object.keys(tags).length === 0) return;
    const device = await this.store.describeDevice(deviceName, (before) => ({ tags: { ...tags, ...before.tags } }));
    if (!device) return;
    this.given.add(id);
    await this.access.collectors.change(id, { tags: {} });
  }
}
