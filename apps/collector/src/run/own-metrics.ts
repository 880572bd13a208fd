import type { Reading } from '@device-metrics/domain';
import type { SourceRunner } from './run-source.js';
import type { Source } from './source.js';
import type { Spool } from '../upload/spool.js';
import type { Uploader } from '../upload/uploader.js';
import { version } from '../version.js';

/** Of the last run of a source; nothing before its first. */
export function runReadings({ name, outcome }: SourceRunner): Reading[] {
  if (!outcome) return [];
  const labels = { source: name };
  return [
    { metricName: 'collector.source.success', labels, value: outcome.success ? 1 : 0 },
    { metricName: 'collector.source.duration', labels, value: outcome.duration / 1000 },
    { metricName: 'collector.source.readings', labels, value: outcome.readings },
    { metricName: 'collector.source.rejected', labels, value: outcome.rejected.length },
  ];
}

/** The collector itself as a source: its queue, its uploads and what it costs. */
export class CollectorSource implements Source {
  readonly name = 'collector';
  private readonly version = version();

  constructor(
    private readonly spool: Spool,
    private readonly uploader: Uploader,
    private readonly now: () => number,
  ) {}

  read(): Promise<Reading[]> {
    const totals = this.spool.totals();
    const { user, system } = process.cpuUsage();
    const labels = { 'service.name': 'collector' };
    const oldestAge = totals.oldest === undefined ? 0 : Math.max(0, this.now() - totals.oldest) / 1000;
    return Promise.resolve([
      { metricName: 'collector.info', labels: { 'service.version': this.version }, value: 1 },
      { metricName: 'collector.spool.batches', value: totals.pendingBatches },
      { metricName: 'collector.spool.samples', value: totals.pendingSamples },
      { metricName: 'collector.spool.size', value: totals.bytes },
      { metricName: 'collector.spool.oldest_age', value: oldestAge },
      { metricName: 'collector.spool.quarantined', value: totals.quarantinedBatches },
      { metricName: 'collector.spool.evicted', value: totals.evicted },
      { metricName: 'collector.upload.sent', value: totals.sent },
      { metricName: 'collector.upload.failures', value: this.uploader.failures },
      { metricName: 'process.cpu.time', labels: { ...labels, 'cpu.mode': 'user' }, value: user / 1e6 },
      { metricName: 'process.cpu.time', labels: { ...labels, 'cpu.mode': 'system' }, value: system / 1e6 },
      { metricName: 'process.memory.usage', labels, value: process.memoryUsage.rss() },
    ]);
  }
}
