import { Inject, Injectable } from '@nestjs/common';
import { matchesAny, NamedSeries, toMetricName, type Sample } from '@device-metrics/domain';
import type { OtlpMetric } from '@device-metrics/formats';
import { apiConfig, type ApiConfig } from '../../settings.js';
import { MetricDescriptions } from '../../metadata/metric-descriptions.js';
import { deviceOf } from '../device-labels.js';
import { SharedLabels } from '../shared-labels.js';

/** The device of resources that have none of the attributes of OTLP_DEVICE. */
const OTHER_DEVICE = 'opentelemetry';

/** As a sender names a series. */
type Names = Pick<Sample, 'deviceName' | 'metricName' | 'unit' | 'labels'>;

/**
 * What a point names. What a decoder has made of one kind of metric it never gives with another, so that `valueOf` and `partsOf` need not
 * look: very many points have just a value, and an object around the series of each would take a lot of memory.
 */
export type OtlpSeries = NamedSeries | SeriesParts;

/** The series of a gauge or a sum. */
export const valueOf = (series: OtlpSeries): NamedSeries => series as NamedSeries;

/** Those of a histogram or a summary. */
export const partsOf = (series: OtlpSeries): SeriesParts => series as SeriesParts;

/** Histograms and summaries are one series for OpenTelemetry: here they have several, as Prometheus names them. */
class SeriesParts {
  private readonly parts = new Map<string, NamedSeries>();

  constructor(private readonly whole: Names) {}

  /** Whether a store has found any of them. */
  get isStored(): boolean {
    return [...this.parts.values()].some(({ isStored }) => isStored);
  }

  get count(): NamedSeries {
    return this.part('_count', undefined);
  }

  get sum(): NamedSeries {
    return this.part('_sum', this.whole.unit);
  }

  /** How many values were at most so large. */
  bucket(bound: number): NamedSeries {
    return this.part('_bucket', undefined, 'le', bound === Infinity ? '+Inf' : String(bound));
  }

  quantile(quantile: number): NamedSeries {
    return this.part('', this.whole.unit, 'quantile', String(quantile));
  }

  private part(suffix: string, unit: string | undefined, label?: string, text = ''): NamedSeries {
    const key = suffix + text;
    let part = this.parts.get(key);
    if (!part) {
      const { deviceName, metricName, labels } = this.whole;
      const its = label === undefined ? labels : { ...labels, [label]: text };
      part = NamedSeries.of({ deviceName, metricName: metricName + suffix, unit, labels: its });
      this.parts.set(key, part);
    }
    return part;
  }
}

function kindOf(type: OtlpMetric['type'], isMonotonic: boolean): string {
  if (type === 'sum') return isMonotonic ? 'counter' : 'updowncounter';
  return type === 'exponential' ? 'histogram' : type;
}

/** Gives resources, metrics and attributes of OpenTelemetry their device, names and labels. */
@Injectable()
export class OtlpNames {
  private readonly labels = new SharedLabels();
  /** Whether an attribute of a resource becomes a label. */
  private readonly isLabel: (key: string) => boolean;

  constructor(
    @Inject(apiConfig.KEY) private readonly config: ApiConfig,
    private readonly descriptions: MetricDescriptions,
  ) {
    const { taken, left } = config.ingest.otlpLabels;
    const [isTaken, isLeft] = [matchesAny(taken), matchesAny(left)];
    this.isLabel = (key) => isTaken(key) && !isLeft(key);
  }

  seriesOf(
    resource: ReadonlyMap<string, string>,
    { name, unit, description, type, isMonotonic }: OtlpMetric,
    attributes: ReadonlyMap<string, string>,
  ): OtlpSeries {
    const { otlpDevice } = this.config.ingest;
    const ofResource = new Map(resource);
    const deviceName = deviceOf(ofResource, otlpDevice, OTHER_DEVICE);
    const metricName = toMetricName(name);
    this.descriptions.say({ name: metricName, type: kindOf(type, isMonotonic), unit, help: description });
    const labels = [
      ...[...ofResource].filter(([key]) => this.isLabel(key)),
      ...attributes,
      // Names of other letters stay apart by the label that no other can be.
      ...(metricName === name ? [] : [['__name__', name] as const]),
    ];
    const names = {
      deviceName,
      metricName,
      unit: unit === '' ? undefined : unit,
      labels: this.labels.of(Object.fromEntries(labels)),
    };
    return type === 'gauge' || type === 'sum' ? NamedSeries.of(names) : new SeriesParts(names);
  }
}
