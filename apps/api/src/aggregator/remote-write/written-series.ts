import { Inject, Injectable } from '@nestjs/common';
import { NamedSeries, toMetricName } from '@device-metrics/domain';
import {
  BodyKeys,
  endOfFirstLabel,
  exposedUnit,
  PartedMap,
  ProtobufError,
  readLabels,
  type MetricMetadata,
} from '@device-metrics/formats';
import { MetricDescriptions } from '../../metadata/metric-descriptions.js';
import { apiConfig, type ApiConfig } from '../../settings.js';
import { deviceOf } from '../device-labels.js';
import { SharedLabels } from '../shared-labels.js';

/** Series that are known by their bytes: those of 5,000 devices. */
const MOST_SERIES = 500_000;

/** The device of series that none of the labels of REMOTE_WRITE_DEVICE has, as of recording rules. */
const OTHER_DEVICE = 'prometheus';

/** The series of write requests, found by the bytes of their labels. */
@Injectable()
export class WrittenSeries {
  private readonly known = new PartedMap<NamedSeries>(endOfFirstLabel, MOST_SERIES);
  private readonly labels = new SharedLabels();

  constructor(
    @Inject(apiConfig.KEY) private readonly config: ApiConfig,
    private readonly descriptions: MetricDescriptions,
  ) {}

  /** Takes note of what a sender says of a metric family. */
  describe(metadata: MetricMetadata): void {
    if (this.descriptions.say({ ...metadata, name: toMetricName(metadata.name) })) this.known.clear();
  }

  /** As one body finds them. */
  ofBody(): BodyKeys<NamedSeries> {
    return new BodyKeys(this.known);
  }

  /** The series among those of a body, or why there is none. */
  of(known: BodyKeys<NamedSeries>, bytes: Uint8Array, start: number, end: number): NamedSeries | string {
    const found = known.get(bytes, start, end);
    if (found) return found;
    try {
      const series = this.named(readLabels(bytes, start, end));
      if (typeof series !== 'string') known.set(bytes, start, end, series);
      return series;
    } catch (error) {
      if (error instanceof ProtobufError) return error.message;
      throw error;
    }
  }

  private named(labels: Map<string, string>): NamedSeries | string {
    const name = labels.get('__name__');
    if (name === undefined) return 'it has no label __name__';
    const metricName = toMetricName(name);
    // Names of other letters stay apart by the label that no other can be.
    if (metricName === name) labels.delete('__name__');
    const deviceName = deviceOf(labels, this.config.ingest.remoteWriteDevice, OTHER_DEVICE);
    const all = this.labels.of(Object.fromEntries(labels));
    const said = this.descriptions.of(metricName)?.unit;
    const unit = exposedUnit({ name, labels: all, value: 0, ...(said && { unit: said }) });
    return NamedSeries.of({ deviceName, metricName, unit, labels: all });
  }
}
