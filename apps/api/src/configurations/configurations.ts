import type {
  AccessStore,
  ConfigurationStore,
  Store,
  StoredCollector,
  StoredConfiguration,
  StoredConfigurationState,
} from '@device-metrics/storage';
import type { FieldErrorDto } from '@device-metrics/contract';
import type { Labels } from '@device-metrics/domain';
import { Inject, Injectable } from '@nestjs/common';
import { ACCESS_STORE } from '../access/access-store.js';
import { unlimited } from '../access/caller.js';
import { isThere } from '../access/collectors/join.js';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { mistakesOf } from './check-text.js';
import { combined, configurationsFor, type CombinedText } from './combine.js';
import { CONFIGURATION_STORE } from './configuration-store.token.js';

/** What a collector says when it asks. */
export type ConfigurationNews = Omit<StoredConfigurationState, 'collectorId' | 'askedAt'>;

/** A collector, and what there is for its PC. */
export interface ConfiguredCollector extends CombinedText {
  readonly collector: StoredCollector;
  readonly tags: readonly string[];
  /** What it last said; undefined: it has never asked. */
  readonly state: StoredConfigurationState | undefined;
  /** Whether it has asked within a time in which each asks that takes what the api has. */
  readonly asks: boolean;
}

export interface Preview extends CombinedText {
  readonly tags: readonly string[];
  readonly allowancesKnown: boolean;
  readonly errors: readonly FieldErrorDto[];
}

/** That a collector has asked is written down so often, ms. */
const NOTED_EVERY = 600_000;
/** Who has not asked for this long does not ask any more, ms. */
const ASKS_WITHIN = 2 * 86_400_000;

/** What collectors read by tags of their devices, beside what their own files say. */
@Injectable()
export class Configurations {
  constructor(
    @Inject(CONFIGURATION_STORE) private readonly store: ConfigurationStore,
    @Inject(ACCESS_STORE) private readonly access: AccessStore,
    @Inject(SAMPLE_STORE) private readonly samples: Store,
  ) {}

  /** Takes note of what a collector says. @returns what there is for it, and whether it refuses what it did not refuse before. */
  async ask(
    collector: StoredCollector,
    news: ConfigurationNews,
    now: number,
  ): Promise<CombinedText & { refuses: boolean }> {
    const before = (await this.store.states()).find(({ collectorId }) => collectorId === collector.id);
    if (!before || now - before.askedAt >= NOTED_EVERY || !isSame(before, news)) {
      await this.store.putState({ ...news, collectorId: collector.id, askedAt: now });
    }
    const refuses = news.refused !== '' && news.refused !== before?.refused;
    return {
      ...(await combined(configurationsFor(await this.tagsOf(collector), await this.store.current()))),
      refuses,
    };
  }

  /** Every collector that has joined, by device. */
  async collectors(now: number): Promise<ConfiguredCollector[]> {
    const [collectors, states, current] = await Promise.all([
      this.access.collectors.all(),
      this.store.states(),
      this.store.current(),
    ]);
    const byId = new Map(states.map((state) => [state.collectorId, state]));
    const all = collectors.filter(isThere).map(async (collector): Promise<ConfiguredCollector> => {
      const own = configurationsFor(await this.tagsOf(collector), current);
      const state = byId.get(collector.id);
      const asks = state !== undefined && now - state.askedAt < ASKS_WITHIN;
      return { collector, tags: own.map(({ tag }) => tag), state, asks, ...(await combined(own)) };
    });
    return Promise.all(all);
  }

  /** What a device would get, with a draft in the place of what there is for a tag. Undefined where no collector is of it. */
  async preview(
    deviceName: string,
    draft?: { readonly tag: string; readonly text: string },
  ): Promise<Preview | undefined> {
    const collector = (await this.access.collectors.all()).find((one) => isThere(one) && one.deviceName === deviceName);
    if (!collector) return undefined;
    const state = (await this.store.states()).find(({ collectorId }) => collectorId === collector.id);
    const current = (await this.store.current()).filter(({ tag }) => tag !== draft?.tag);
    const drafted: StoredConfiguration[] = draft ? [{ ...draft, version: 0, changedAt: 0, changedBy: '' }] : [];
    const own = configurationsFor(await this.tagsOf(collector), [...current, ...drafted]);
    const tags = own.map(({ tag }) => tag);
    // A draft may be no YAML at all, which nothing can be joined with.
    const wrong = draft && tags.includes(draft.tag) ? await mistakesOf(draft.text, state?.allows) : [];
    const allowancesKnown = state !== undefined;
    if (wrong.length > 0) return { tags, text: draft?.text ?? '', version: '', allowancesKnown, errors: wrong };
    const whole = await combined(own);
    return { ...whole, tags, allowancesKnown, errors: await mistakesOf(whole.text, state?.allows) };
  }

  /** Those of its device; of one without samples those that it is to get. */
  private async tagsOf({ deviceName, tags }: StoredCollector): Promise<Labels> {
    const device = await unlimited(() => this.samples.device(deviceName));
    return { ...tags, ...device?.tags };
  }
}

const isSame = ({ running, refused, reason, allows }: ConfigurationNews, news: ConfigurationNews): boolean =>
  running === news.running &&
  refused === news.refused &&
  reason === news.reason &&
  JSON.stringify(allows) === JSON.stringify(news.allows);
