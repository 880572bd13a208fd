import { Inject, Injectable } from '@nestjs/common';
import { matchesAny, NamedSeries, toMetricName, type Labels } from '@device-metrics/domain';
import type { OtlpMetric } from '@device-metrics/formats';
import { apiConfig, type ApiConfig } from '../../settings.js';
import { MetricDescriptions } from '../../metadata/metric-descriptions.js';
import { deviceOf } from '../device-labels.js';
import { SharedLabels } from '../shared-labels.js';

/** The device of resources that have none of the attributes of OTLP_DEVICE. */
const OTHER_DEVICE = 'opentelemetry';

/** The series of what OpenTelemetry calls one: a histogram has several, as Prometheus names them. */
export class OtlpSeries {
  /** Only histograms and summaries have any: an empty map takes more memory than all else of a series. */
  private parts: Map<string, NamedSeries> | undefined;
  private own: NamedSeries | undefined;

  constructor(
    private readonly deviceName: string,
    private readonly metricName: string,
    private readonly unit: string | undefined,
    private readonly labels: Labels,
  ) {}

  get value(): NamedSeries {
    this.own ??= this.named('', this.unit, this.labels);
    return this.own;
  }

  /** Whether a store has found any of them. */
  get isStored(): boolean {
    return this.own?.isStored === true || [...(this.parts?.values() ?? [])].some(({ isStored }) => isStored);
  }

  get count(): NamedSeries {
    return this.part('_count', undefined);
  }

  get sum(): NamedSeries {
    return this.part('_sum', this.unit);
  }

  /** How many values were at most so large. */
  bucket(bound: number): NamedSeries {
    return this.part('_bucket', undefined, 'le', bound === Infinity ? '+Inf' : String(bound));
  }

  quantile(quantile: number): NamedSeries {
    return this.part('', this.unit, 'quantile', String(quantile));
  }

  private part(suffix: string, unit: string | undefined, label?: string, text = ''): NamedSeries {
    const key = suffix + text;
    const parts = (this.parts ??= new Map<string, NamedSeries>());
    let part = parts.get(key);
    if (!part) {
      part = this.named(suffix, unit, label === undefined ? this.labels : { ...this.labels, [label]: text });
      parts.set(key, part);
    }
    return part;
  }

  private named(suffix: string, unit: string | undefined, labels: Labels): NamedSeries {
    return NamedSeries.of({ deviceName: this.deviceName, metricName: this.metricName + suffix, unit, labels });
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
    return new OtlpSeries(
      deviceName,
      metricName,
      unit === '' ? undefined : unit,
      this.labels.of(Object.fromEntries(labels)),
    );
  }
}
