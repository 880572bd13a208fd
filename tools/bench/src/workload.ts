import type { Labels, Sample } from '@device-metrics/domain';

/** 100 devices report 50 metrics every 10 seconds. */
export const DEVICES = 100;
export const METRICS = 50;
export const INTERVAL = 10_000;
/** 2026-01-15T00:00:00Z. */
export const START = Date.UTC(2026, 0, 15);

const NO_LABELS: Labels = Object.freeze({});
const METRIC_NAMES = Array.from({ length: METRICS }, (_, metric) => `bench.${kindOf(metric)}.${metric}`);

type Kind = 'gauge' | 'temperature' | 'counter' | 'constant' | 'small_integer';

function kindOf(metric: number): Kind {
  return (['gauge', 'temperature', 'counter', 'constant', 'small_integer'] as const)[metric % 5];
}

/** Repeatable randomness (mulberry32), so that every store gets the same samples. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The samples of the workload, in the order in which collectors send them: tick by tick, device by device. */
export class Workload {
  private readonly random = randomFrom(42);
  private readonly last = new Float64Array(DEVICES * METRICS).fill(50);
  private position = 0;

  /** The next `count` samples. */
  next(count: number): Sample[] {
    const samples = new Array<Sample>(count);
    for (let index = 0; index < count; index += 1) {
      const series = this.position % (DEVICES * METRICS);
      const tick = (this.position - series) / (DEVICES * METRICS);
      this.position += 1;
      samples[index] = {
        deviceName: DEVICE_NAMES[Math.floor(series / METRICS)],
        metricName: METRIC_NAMES[series % METRICS],
        unit: undefined,
        labels: NO_LABELS,
        timestamp: START + tick * INTERVAL,
        value: this.value(series),
      };
    }
    return samples;
  }

  private value(series: number): number {
    const value = nextValue(kindOf(series % METRICS), this.last[series], this.random);
    this.last[series] = value;
    return value;
  }
}

const DEVICE_NAMES = Array.from({ length: DEVICES }, (_, device) => `bench-pc-${device}`);

function nextValue(kind: Kind, last: number, random: () => number): number {
  switch (kind) {
    case 'gauge':
      return Math.round(Math.min(100, Math.max(0, last + (random() - 0.5) * 4)) * 100) / 100;
    case 'temperature':
      return random() < 0.9 ? last : Math.round((last + (random() - 0.5)) * 10) / 10;
    case 'counter':
      return last + Math.floor(random() * 2000);
    case 'constant':
      return last;
    case 'small_integer':
      return Math.floor(random() * 8);
  }
}
