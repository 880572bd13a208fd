import { read, serverNow, type Schema } from '../api.js';
import {
  counts,
  isOneProcessor,
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

  /**
   * Where the devices have more series than an answer, it asks for each half of them.
   *
   * @param byProcessor of devices that send each processor by itself, and not their whole.
   */
  private async loadFigure(figure: Figure, names: readonly string[], byProcessor = false): Promise<void> {
    const label = byProcessor ? undefined : LABELS[figure];
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
      if (answer.series.length === MAX_SERIES && names.length > 1) {
        const half = Math.ceil(names.length / 2);
        for (const part of [names.slice(0, half), names.slice(half)]) void this.loadFigure(figure, part, byProcessor);
        return;
      }
      this.take(figure, answer, byProcessor);
      if (figure !== 'cpu' || byProcessor) return;
      const found = new Set(answer.series.map(({ device_name }) => device_name));
      await this.loadProcessors(names.filter((name) => !found.has(name)));
    } catch {
      // The connection line says that the api is away; a spark line that is missing is asked for again.
      for (const name of names) this.asked.delete(name);
    }
  }

  /** Of devices that send no whole of their processors: what each does by itself. */
  private async loadProcessors(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const query = { metric_name: [FIGURE_METRICS.cpu], device_name: [...names] };
    const { samples } = await read('/api/v1/reports/latest', query, { signal: this.aborter.signal });
    this.fleet.take(samples);
    this.fleet.flush(serverNow());
    const found = new Set(samples.filter(({ labels }) => isOneProcessor(labels)).map(({ device_name }) => device_name));
    if (found.size > 0) await this.loadFigure('cpu', [...found], true);
  }

  private take(figure: Figure, { series, timestamps, unit }: Schema<'CompareDto'>, byProcessor: boolean): void {
    const byDevice = new Map<string, (number | null)[][]>();
    const inUnit = (value: number | null): number | null =>
      value === null ? null : (figureValue(figure, value, unit) ?? null);
    for (const { device_name, labels, values: given } of series) {
      if (!(byProcessor ? isOneProcessor(labels) : counts(figure, labels))) continue;
      byDevice.set(device_name, [...(byDevice.get(device_name) ?? []), given.map(inUnit)]);
    }
    const start = Date.parse(timestamps[0] ?? '');
    for (const [name, lines] of byDevice) {
      const values = timestamps.map((_, step) =>
        oneOf(
          lines.map((line) => line[step] ?? null),
          byProcessor,
        ),
      );
      this.fleet.setSpark(name, figure, values, start);
    }
    this.fleet.flush(serverNow());
  }
}

/** The largest, or the mean; null where there is none. */
function oneOf(values: readonly (number | null)[], asMean: boolean): number | null {
  const there = values.filter((value) => value !== null);
  if (there.length === 0) return null;
  return asMean ? there.reduce((sum, value) => sum + value, 0) / there.length : Math.max(...there);
}

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
