import { read, serverNow, type Schema } from '../api.js';
import {
  counts,
  figureValue,
  FIGURE_METRICS,
  FIGURES,
  SPARK_STEP,
  SPARK_STEPS,
  type Figure,
  type Fleet,
} from './fleet.js';

/** Rows that come into view within this time share a call, ms. */
const GATHER = 120;
/** Characters of an address: what servers and proxies surely take. */
const MAX_ADDRESS = 6_000;
/** What the api compares at the most: an answer of so many series may not have those of every device. */
const MAX_SERIES = 1_000;
/** Leaves out what no line is drawn of, and what devices may have very many of: each processor by itself. */
const LABELS: Readonly<Partial<Record<Figure, string[]>>> = { cpu: ['cpu.logical_number='] };

/** Loads the history of devices whose rows come into view, many at once, and each once. */
export class SparkLoader {
  private readonly wanted = new Set<string>();
  private readonly asked = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private aborter = new AbortController();

  constructor(private readonly fleet: Fleet) {}

  /** Asks for a device unless the row has left again by then. */
  want(name: string): () => void {
    if (this.asked.has(name)) return () => undefined;
    this.wanted.add(name);
    this.timer ??= setTimeout(() => this.load(), GATHER);
    return () => void this.wanted.delete(name);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.aborter.abort();
    this.aborter = new AbortController();
    this.asked.clear();
  }

  private load(): void {
    this.timer = undefined;
    for (const names of batches([...this.wanted])) {
      for (const name of names) this.asked.add(name);
      for (const figure of FIGURES) void this.loadFigure(figure, names);
    }
    this.wanted.clear();
  }

  /** Where the devices have more series than an answer, it asks for each half of them. */
  private async loadFigure(figure: Figure, names: readonly string[]): Promise<void> {
    const label = LABELS[figure];
    const query = {
      metric_name: FIGURE_METRICS[figure],
      ...(label && { label }),
      device_name: [...names],
      start_time: String(serverNow() - SPARK_STEPS * SPARK_STEP),
      step: `${SPARK_STEP / 1000}s`,
      aggregation: figure === 'temperature' ? 'max' : 'mean',
      top: String(MAX_SERIES),
    };
    try {
      const answer = await read('/api/v1/reports/compare', query, { signal: this.aborter.signal });
      if (answer.series.length < MAX_SERIES || names.length === 1) return this.take(figure, answer);
      const half = Math.ceil(names.length / 2);
      for (const part of [names.slice(0, half), names.slice(half)]) void this.loadFigure(figure, part);
    } catch {
      // The connection line says that the api is away; a spark line that is missing is asked for again.
      for (const name of names) this.asked.delete(name);
    }
  }

  private take(figure: Figure, { series, timestamps, unit }: Schema<'CompareDto'>): void {
    const byDevice = new Map<string, (number | null)[]>();
    const inUnit = (value: number | null): number | null =>
      value === null ? null : (figureValue(figure, value, unit) ?? null);
    for (const { device_name, labels, values: given } of series) {
      if (!counts(figure, labels)) continue;
      const values = given.map(inUnit);
      const before = byDevice.get(device_name);
      byDevice.set(device_name, before ? before.map((value, step) => larger(value, values[step] ?? null)) : values);
    }
    const start = Date.parse(timestamps[0] ?? '');
    for (const [name, values] of byDevice) this.fleet.setSpark(name, figure, values, start);
    this.fleet.flush(serverNow());
  }
}

const larger = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.max(a, b);

/** Names in groups whose addresses are not too long. */
function batches(names: readonly string[]): string[][] {
  const all: string[][] = [];
  let length = Infinity;
  for (const name of names) {
    const more = encodeURIComponent(name).length + 13;
    if (length + more > MAX_ADDRESS || (all.at(-1)?.length ?? 0) >= 40) {
      all.push([]);
      length = 300;
    }
    all.at(-1)?.push(name);
    length += more;
  }
  return all;
}
