import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { labelsKey, type NamedSeries, type Series } from '@device-metrics/domain';
import type { MetadataStore, SampleStore, SeriesEnd, SeriesLatest } from '@device-metrics/storage';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { METADATA_STORE } from './metadata-store.token.js';

/** A series of which a sender says that it has no value from a time on, Unix ms. */
export interface NamedEnd {
  readonly series: NamedSeries;
  readonly timestamp: number;
}

/** How long a series that was not there is not looked for again, ms. */
const ABSENT = 60_000;

interface Found {
  readonly series: Series | undefined;
  readonly until: number;
}

/**
 * Series that their senders have ended, as by the stale markers of Prometheus: their latest sample is not how things are
 * now. A newer sample begins the series again.
 */
@Injectable()
export class SeriesEnds implements OnModuleInit {
  private readonly ends = new Map<number, number>();
  private readonly found = new WeakMap<NamedSeries, Found>();

  constructor(
    @Inject(METADATA_STORE) private readonly metadata: MetadataStore,
    @Inject(SAMPLE_STORE) private readonly store: SampleStore,
  ) {}

  async onModuleInit(): Promise<void> {
    for (const { seriesId, at } of await this.metadata.ends()) this.ends.set(seriesId, at);
  }

  /** When a series with this latest sample ended; undefined while it goes on. */
  endOf({ series, timestamp }: SeriesLatest): number | undefined {
    const at = this.ends.get(series.id);
    return at !== undefined && at > timestamp ? at : undefined;
  }

  /** Takes note of ends; those of series that are not there, or have ended already, change nothing. */
  async note(ends: readonly NamedEnd[]): Promise<void> {
    if (ends.length === 0) return;
    let byId = await this.byId(ends);
    let all = await this.latest(byId);
    if (all.length < byId.size) {
      const there = new Set(all.map(({ series }) => series.id));
      // Deleted, and perhaps there again.
      for (const { series } of ends)
        if (!there.has(this.found.get(series)?.series?.id ?? -1)) this.found.delete(series);
      byId = await this.byId(ends);
      all = await this.latest(byId);
    }
    const fresh: SeriesEnd[] = [];
    for (const latest of all) {
      const { id } = latest.series;
      const at = byId.get(id)?.at ?? 0;
      // Of values that are none, scrape after scrape, the first is the end.
      if (at > latest.timestamp && this.endOf(latest) === undefined) fresh.push({ seriesId: id, at });
    }
    if (fresh.length === 0) return;
    await this.metadata.end(fresh);
    for (const { seriesId, at } of fresh) this.ends.set(seriesId, at);
  }

  /** The last end of each series that is there, by its id. */
  private async byId(ends: readonly NamedEnd[]): Promise<Map<number, { series: Series; at: number }>> {
    const byId = new Map<number, { series: Series; at: number }>();
    for (const { series: named, timestamp } of ends) {
      const series = await this.find(named);
      const before = series && byId.get(series.id);
      if (series && !(before && before.at >= timestamp)) byId.set(series.id, { series, at: timestamp });
    }
    return byId;
  }

  private latest(byId: ReadonlyMap<number, { readonly series: Series }>): Promise<SeriesLatest[]> {
    return this.store.latest([...byId.values()].map(({ series }) => series));
  }

  private async find(named: NamedSeries): Promise<Series | undefined> {
    const known = this.found.get(named);
    if (known && (known.series || known.until > performance.now())) return known.series;
    const { deviceName, metricName, labels } = named;
    const wanted = labelsKey(labels);
    const all = await this.store.findSeries({ devices: [deviceName], metrics: [metricName] });
    const series = all.find((one) => labelsKey(one.labels) === wanted);
    this.found.set(named, { series, until: performance.now() + ABSENT });
    return series;
  }
}
