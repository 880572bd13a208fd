import type { StoreHealth, StoreOperation } from '@device-metrics/storage';
import { Gauge, type Registry } from 'prom-client';

const GAUGES: Record<keyof StoreHealth, [name: string, help: string]> = {
  devices: ['devices', 'Devices.'],
  series: ['series', 'Series.'],
  journalRows: ['journal_rows', 'Commits that are in the journal only.'],
  journalBytes: ['journal_bytes', 'Bytes of the journal.'],
  heads: ['heads', 'Hours of devices that are open in memory.'],
  headSamples: ['head_samples', 'Samples that are open in memory.'],
  damaged: ['damaged', 'Pieces of the database that were found damaged and set aside; anything but 0 means lost data.'],
  bytes: ['file_bytes', 'Size of the database file.'],
  freeBytes: ['free_bytes', 'Bytes of the database file that are free to use.'],
};

/** Adds what the store says of itself to the metrics, asked once for each scrape. */
export function addStoreMetrics(registry: Registry, store: StoreOperation): void {
  let asked: Promise<StoreHealth> | undefined;
  const health = (): Promise<StoreHealth> => (asked ??= store.health().finally(() => (asked = undefined)));
  for (const [key, [name, help]] of Object.entries(GAUGES)) {
    const gauge: Gauge = new Gauge({
      name: `device_metrics_store_${name}`,
      help,
      registers: [registry],
      collect: async () => gauge.set((await health())[key as keyof StoreHealth]),
    });
  }
}
