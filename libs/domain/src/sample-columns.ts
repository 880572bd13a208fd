import { NamedSeries, type SeriesGroup } from './named-series.js';
import type { Sample } from './sample.js';
import { inSlices } from './slices.js';

/** SampleBatch as columns, position by position, in the order in which they came. The gate makes them. */
export interface SampleColumns {
  readonly series: readonly NamedSeries[];
  /** Integer milliseconds since the Unix epoch, UTC. */
  readonly timestamps: Float64Array;
  /** Finite doubles. */
  readonly values: Float64Array;
  /** What `series` consists of, where that is whole groups, one behind the other: then no series need be looked at for its sample. */
  readonly groups?: readonly SeriesGroup[] | undefined;
}

/** Columns of whole groups, whose series are named one by one only where somebody asks for them. */
export class ColumnsOfGroups implements SampleColumns {
  private named: NamedSeries[] | undefined;

  /** @param timestamps as many as the groups have series, as are the values. */
  constructor(
    readonly groups: readonly SeriesGroup[],
    readonly timestamps: Float64Array,
    readonly values: Float64Array,
  ) {}

  get series(): NamedSeries[] {
    return (this.named ??= this.groups.flatMap(({ series }) => series));
  }
}

/** SampleBatch however they stand. */
export type SampleBatch = readonly Sample[] | SampleColumns;

export const isColumns = (samples: SampleBatch): samples is SampleColumns => 'series' in samples;

export const countOf = (samples: SampleBatch): number =>
  isColumns(samples) ? samples.timestamps.length : samples.length;

/** The same samples one by one. */
export function eachSample(samples: SampleBatch): readonly Sample[] {
  if (!isColumns(samples)) return samples;
  const { timestamps, values } = samples;
  return samples.series.map(({ deviceName, metricName, unit, labels }, at) => ({
    deviceName,
    metricName,
    unit,
    labels,
    timestamp: timestamps[at] as number,
    value: values[at] as number,
  }));
}

/** The samples from one position to before another, as a copy of their own. */
export function partOf(samples: SampleBatch, from: number, to: number): SampleBatch {
  if (!isColumns(samples)) return samples.slice(from, to);
  const { series, timestamps, values } = samples;
  return { series: series.slice(from, to), timestamps: timestamps.slice(from, to), values: values.slice(from, to) };
}

/** Samples that are looked at one by one: what is done with more of them at once would hold up others. */
const MOST_ONE_BY_ONE = 1 << 14;

/** The same samples as columns where there are very many, made in slices. */
export async function inColumns(samples: readonly Sample[]): Promise<SampleBatch> {
  if (samples.length <= MOST_ONE_BY_ONE) return samples;
  const columns = {
    series: new Array<NamedSeries>(samples.length),
    timestamps: new Float64Array(samples.length),
    values: new Float64Array(samples.length),
  };
  let before: Sample | undefined;
  let series: NamedSeries | undefined;
  await inSlices(samples, (sample, at) => {
    if (!series || !before || !haveSameNames(sample, before)) series = NamedSeries.of(sample);
    before = sample;
    columns.series[at] = series;
    columns.timestamps[at] = sample.timestamp;
    columns.values[at] = sample.value;
  });
  return columns;
}

const haveSameNames = (a: Sample, b: Sample): boolean =>
  a.labels === b.labels && a.metricName === b.metricName && a.deviceName === b.deviceName && a.unit === b.unit;
