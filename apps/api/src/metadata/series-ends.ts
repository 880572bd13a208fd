import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { inSlices, type NamedSeries, type Series } from '@device-metrics/domain';
import type { MetadataStore, SampleStore, SeriesEnd, SeriesLatest } from '@device-metrics/storage';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { METADATA_STORE } from './metadata-store.token.js';

/** A series of which a sender says that it has no value from a time on, Unix ms. */
export interface NamedEnd {
  readonly series: NamedSeries;
  readonly timestamp: number;
}

/**
 * Series that their senders have ended, as by the stale markers of Prometheus: their latest sample is not how things are
 * now. A newer sample begins the series again.
 */
@Injectable()
export class SeriesEnds implements OnModuleInit {
  private readonly ends = new Map<number, number>();

  constructor(
    @Inject(METADATA_STORE) private readonly metadata: MetadataStore,
    @Inject(SAMPLE_STORE) private readonly store: SampleStore,
  ) {}

  async onModuleInit(): Promise<void> {
    await this.load();
  }

  /** Takes in what all processes were told. */
  async load(): Promise<void> {
    await inSlices(await this.metadata.ends(), ({ seriesId, at }) => {
      if (at > (this.ends.get(seriesId) ?? -Infinity)) this.ends.set(seriesId, at);
    });
  }

  /** When a series with this latest sample ended; undefined while it goes on. */
  endOf({ series, timestamp }: SeriesLatest): number | undefined {
    const at = this.ends.get(series.id);
    return at !== undefined && at > timestamp ? at : undefined;
  }

  /** Takes note of ends; those of series that are not there, or have ended already, change nothing. */
  async note(ends: readonly NamedEnd[]): Promise<void> {
    if (ends.length === 0) return;
    const byId = new Map<number, { series: Series; at: number }>();
    const found = await this.store.seriesOf(ends.map(({ series }) => series));
    for (const [place, { timestamp: at }] of ends.entries()) {
      const series = found[place];
      const before = series && byId.get(series.id);
      if (series && !(before && before.at >= at)) byId.set(series.id, { series, at });
    }
    const fresh: SeriesEnd[] = [];
    for (const latest of await this.store.latest([...byId.values()].map(({ series }) => series))) {
      const { id } = latest.series;
      const at = byId.get(id)?.at ?? 0;
      // Of values that are none, scrape after scrape, the first is the end.
      if (at > latest.timestamp && this.endOf(latest) === undefined) fresh.push({ seriesId: id, at });
    }
    if (fresh.length === 0) return;
    await this.metadata.end(fresh);
    for (const { seriesId, at } of fresh) this.ends.set(seriesId, at);
  }
}
