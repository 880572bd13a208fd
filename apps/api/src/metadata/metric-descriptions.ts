import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { sayKind, Slices } from '@device-metrics/domain';
import type { MetricDescription, MetadataStore } from '@device-metrics/storage';
import { METADATA_STORE } from './metadata-store.token.js';

/** Of how many metrics, and how many characters of their help, is kept. */
const MOST = 20_000;
const MOST_HELP = 500;

const FAMILY = /_(total|bucket|count|sum|created)$/;

/** Written in one transaction: more of them would hold up others. */
const MOST_AT_A_TIME = 500;

/** What senders say of metrics: type, unit and help. The metric catalogue of this project goes before it. */
@Injectable()
export class MetricDescriptions implements OnModuleInit {
  private readonly known = new Map<string, MetricDescription>();
  private readonly unsaved = new Map<string, MetricDescription>();

  constructor(@Inject(METADATA_STORE) private readonly metadata: MetadataStore) {}

  async onModuleInit(): Promise<void> {
    await this.load();
  }

  /** Takes in what all processes were told. */
  async load(): Promise<void> {
    for (const description of await this.metadata.descriptions()) {
      if (!this.unsaved.has(description.name)) this.keep(description);
    }
  }

  /** What is known of a metric, or of the family that it is called after. */
  of(metricName: string): MetricDescription | undefined {
    return this.known.get(metricName) ?? this.known.get(metricName.replace(FAMILY, ''));
  }

  /** Takes note of what a sender says; whether that changes the unit. `save` must follow. */
  say({ name, type, unit, help }: MetricDescription): boolean {
    const before = this.known.get(name);
    if (name === '' || (!before && this.known.size >= MOST)) return false;
    const given = {
      name,
      type: type === 'unknown' ? (before?.type ?? '') : type,
      unit: unit === '' ? (before?.unit ?? '') : unit,
      help: help === '' ? (before?.help ?? '') : help.slice(0, MOST_HELP),
    };
    if (before && before.type === given.type && before.unit === given.unit && before.help === given.help) return false;
    this.keep(given);
    this.unsaved.set(name, given);
    return before?.unit !== given.unit;
  }

  /** Writes down what is new. */
  async save(): Promise<void> {
    if (this.unsaved.size === 0) return;
    const descriptions = [...this.unsaved.values()];
    this.unsaved.clear();
    const slices = new Slices();
    for (let from = 0; from < descriptions.length; from += MOST_AT_A_TIME) {
      await this.metadata.describe(descriptions.slice(from, from + MOST_AT_A_TIME));
      if (slices.isOver()) await slices.next();
    }
  }

  private keep(description: MetricDescription): void {
    this.known.set(description.name, description);
    sayKind(description.name, description.type);
  }
}
