import type { KeptBytes } from '../byte-map.js';
import type { Metric } from './known-metrics.js';
import type { PointGroup, PointSink } from './metric-points.js';

/** What sends points, as its attributes name it. */
export interface Resource<S, G> {
  readonly id: number;
  /** Or why they cannot be read. */
  readonly attributes: ReadonlyMap<string, string> | string;
  usual: UsualPoints<S, G> | undefined;
  /** How often others have come since these were last all. */
  misses: number;
}

/** What a point says of its series, beside its resource. */
export interface PointKey {
  readonly metric: Metric;
  /** The fields that have them, one after the other; undefined without any. */
  readonly attributes: KeptBytes | undefined;
}

/** All points of a resource as they came, where they were numbers. */
export interface UsualPoints<S, G> {
  readonly keys: readonly PointKey[];
  /** Their series; a group once they have come again. */
  group: G | undefined;
  series: readonly S[] | undefined;
}

/** More points of a resource are no group: to make one would hold up others. */
export const MOST_GROUPED = 1_000;

/** Points of the resource that is read. */
export class ResourceRun<S extends object, G extends PointGroup<S>> {
  /** As long as points come as usual: how they do, and how many have. */
  usual: UsualPoints<S, G> | undefined;
  count = 0;
  readonly times = new Float64Array(MOST_GROUPED);
  readonly values = new Float64Array(MOST_GROUPED);
  private readonly starts = new Float64Array(MOST_GROUPED);
  /** What has come, where that may become the usual. */
  keys: PointKey[] | undefined;
  series: S[] = [];

  begin({ usual, misses }: Resource<S, G>): void {
    this.usual = usual;
    this.count = 0;
    // Where it is another each time, it is learned ever more seldom.
    this.keys = (misses & (misses - 1)) === 0 ? [] : undefined;
    this.series = [];
  }

  /** What the next point is of, if it comes as usual. */
  get expected(): PointKey | undefined {
    return this.usual?.keys[this.count];
  }

  /** Whether all points have come as usual. */
  get isWhole(): boolean {
    return this.count === this.usual?.keys.length;
  }

  add(time: number, value: number, start: number): void {
    const at = this.count++;
    this.times[at] = time;
    this.values[at] = value;
    this.starts[at] = start;
  }

  /** Gives those that came as usual one by one: what comes now does not. */
  leave(sink: PointSink<S, G>): void {
    const { usual, count, times, values, starts } = this;
    if (!usual) return;
    this.usual = undefined;
    if (this.keys) this.keys = usual.keys.slice(0, count);
    const series = usual.series ?? usual.group?.series ?? [];
    this.series = series.slice(0, count);
    for (let at = 0; at < count; at += 1) {
      const { metric } = (usual.keys[at] as PointKey).metric;
      sink.number(series[at] as S, metric, times[at] as number, values[at] as number, starts[at] as number);
    }
  }
}
