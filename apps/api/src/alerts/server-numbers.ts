import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Store } from '@device-metrics/storage';
import type { ApiMetrics } from '../monitoring/api-metrics.js';
import type { ServerNumbers } from './evaluation/evaluation.js';
import type { ServerCondition } from './rules/rule.js';

/** What this server knows of itself, for the rules about it. */
export class OwnNumbers implements ServerNumbers {
  /** How many items had been refused at which time, the oldest first. */
  private readonly refusals: { readonly at: number; readonly total: number }[] = [];

  constructor(
    private readonly store: Store,
    private readonly metrics: ApiMetrics,
    private readonly databasePath: string,
    private readonly elapsed: () => number,
  ) {}

  async number({ measure, window }: ServerCondition): Promise<number> {
    switch (measure) {
      case 'damaged':
        return (await this.store.health()).damaged;
      case 'refused':
        return this.refusedWithin(window);
      case 'disk': {
        const { blocks, bfree, bavail } = await statfs(dirname(this.databasePath));
        const used = blocks - bfree;
        return used + bavail === 0 ? 0 : used / (used + bavail);
      }
    }
  }

  private async refusedWithin(window: number): Promise<number> {
    const { values } = await this.metrics.itemsRejected.get();
    const total = values.reduce((sum, { value }) => sum + value, 0);
    const at = this.elapsed();
    this.refusals.push({ at, total });
    while (this.refusals.length > 10_000) this.refusals.shift();
    const before = this.refusals.findLast((one) => one.at <= at - window);
    return total - (before?.total ?? 0);
  }
}
