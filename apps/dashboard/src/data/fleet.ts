import { conversionBetween, convert, metricDefinition } from '@device-metrics/domain';
import type { Schema } from '../api.js';

type DeviceDto = Schema<'DeviceDto'>;

/** The four numbers that the table of devices shows of each. */
export const FIGURES = ['cpu', 'memory', 'disk', 'temperature'] as const;
export type Figure = (typeof FIGURES)[number];

/** Where each figure comes from. */
export const FIGURE_METRICS: Readonly<Record<Figure, string>> = {
  cpu: 'system.cpu.utilization',
  memory: 'system.memory.utilization',
  disk: 'system.filesystem.utilization',
  temperature: 'hw.temperature',
};
const figureOf = new Map(FIGURES.map((figure) => [FIGURE_METRICS[figure], figure]));

/** A reading, as both `latest` and the live stream tell it. */
export interface FleetSample {
  readonly device_name: string;
  readonly metric_name: string;
  readonly unit?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly timestamp: string;
}

export interface FigureValue {
  readonly value: number;
  /** Which of several things it is of, as a mount point. */
  readonly of?: string;
}

/** What is known of one device; another object whenever it has changed. */
export interface FleetDevice {
  readonly device: DeviceDto;
  readonly status: DeviceDto['status'];
  /** ms. */
  readonly lastSeen: number;
  readonly figures: Readonly<Partial<Record<Figure, FigureValue>>>;
  readonly sparks: Readonly<Partial<Record<Figure, readonly (number | null)[]>>>;
}

interface Entry {
  shown: FleetDevice;
  /** Newest value of each thing, of each figure. */
  readonly parts: Record<Figure, Map<string, FigureValue & { time: number }>>;
  lastSeen: number;
  readonly sparks: Partial<Record<Figure, Spark>>;
}

interface Spark {
  readonly values: (number | null)[];
  /** Start of the newest step, ms. */
  step: number;
}

/** Steps of a spark line, and their length, ms: the last hour. */
export const SPARK_STEPS = 30;
export const SPARK_STEP = 120_000;

/**
 * All devices with their newest figures: loaded once, then kept up by the live stream. Who shows a device is told when
 * that device has changed, and nobody else; changes are gathered for as long as `flush` is not called.
 */
export class Fleet {
  private readonly entries = new Map<string, Entry>();
  private readonly dirty = new Set<string>();
  private readonly deviceListeners = new Map<string, Set<() => void>>();
  private readonly listListeners = new Set<() => void>();
  private list: readonly FleetDevice[] = [];

  /** The devices, and which are gone. */
  setDevices(devices: readonly DeviceDto[], now: number): void {
    const names = new Set(devices.map(({ device_name }) => device_name));
    for (const name of this.entries.keys()) if (!names.has(name)) this.entries.delete(name);
    for (const device of devices) {
      const lastSeen = Date.parse(device.last_seen);
      const entry = this.entries.get(device.device_name);
      if (entry) {
        entry.lastSeen = Math.max(entry.lastSeen, lastSeen);
        entry.shown = { ...entry.shown, device };
      } else {
        const shown = { device, status: device.status, lastSeen, figures: {}, sparks: {} };
        const parts = { cpu: new Map(), memory: new Map(), disk: new Map(), temperature: new Map() };
        this.entries.set(device.device_name, { shown, parts, lastSeen, sparks: {} });
      }
      this.dirty.add(device.device_name);
    }
    this.flush(now);
    this.publishList();
  }

  /** Takes new readings; shows them at the next flush. Whether there are some of devices that it does not know. */
  take(samples: readonly FleetSample[]): boolean {
    let strangers = false;
    for (const sample of samples) {
      const entry = this.entries.get(sample.device_name);
      if (!entry) {
        strangers = true;
        continue;
      }
      const time = Date.parse(sample.timestamp);
      if (time > entry.lastSeen) entry.lastSeen = time;
      this.dirty.add(sample.device_name);
      const figure = figureOf.get(sample.metric_name);
      if (figure && (counts(figure, sample.labels) || isNeeded(entry, figure, sample.labels, time)))
        takePart(entry, figure, sample, time);
    }
    return strangers;
  }

  /** Gives a device the history of a figure. @param start of the first step, ms. */
  setSpark(name: string, figure: Figure, values: readonly (number | null)[], start: number): void {
    const entry = this.entries.get(name);
    if (!entry) return;
    entry.sparks[figure] = {
      values: values.slice(-SPARK_STEPS),
      step: start + (values.length - 1) * SPARK_STEP,
    };
    this.dirty.add(name);
  }

  /** Tells those who show changed devices; `now` decides who is late or offline. */
  flush(now: number): void {
    for (const [name, { shown, lastSeen }] of this.entries) {
      if (statusAt(shown.device, lastSeen, now) !== shown.status) this.dirty.add(name);
    }
    for (const name of this.dirty) {
      const entry = this.entries.get(name);
      if (!entry) continue;
      entry.shown = shownOf(entry, now);
      for (const listener of this.deviceListeners.get(name) ?? []) listener();
    }
    this.dirty.clear();
  }

  /** Lets lists be sorted and filtered by what the devices show now. */
  publishList(): void {
    this.list = [...this.entries.values()].map(({ shown }) => shown);
    for (const listener of this.listListeners) listener();
  }

  readonly get = (name: string): FleetDevice | undefined => this.entries.get(name)?.shown;
  readonly getList = (): readonly FleetDevice[] => this.list;

  readonly subscribeToList = (listener: () => void): (() => void) => {
    this.listListeners.add(listener);
    return () => void this.listListeners.delete(listener);
  };

  subscribeTo(name: string, listener: () => void): () => void {
    const listeners = this.deviceListeners.get(name) ?? new Set();
    this.deviceListeners.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.deviceListeners.delete(name);
    };
  }
}

/** Whether a series is one that a figure is about: of the processors their whole, of the states `used`. */
export function counts(figure: Figure, labels: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(labels);
  if (figure === 'cpu') return names.length === 0;
  if (figure === 'temperature') return true;
  const state = names.find((name) => /(^|\.)state$/.test(name));
  return state === undefined || labels[state] === 'used';
}

/** Whether a series is of one processor by itself: their mean stands for a whole that nobody sends. */
export const isOneProcessor = (labels: Readonly<Record<string, string>>): boolean =>
  Object.keys(labels).join() === 'cpu.logical_number';

function isNeeded({ parts }: Entry, figure: Figure, labels: Readonly<Record<string, string>>, time: number): boolean {
  if (figure !== 'cpu' || !isOneProcessor(labels)) return false;
  const whole = parts.cpu.get(WHOLE);
  return !whole || whole.time < time - STOPPED;
}

/** What tells the parts of a figure apart, in a word: the mount point, the sensor. */
export function partOf(figure: Figure, labels: Readonly<Record<string, string>>): string {
  const wanted = figure === 'disk' ? /mountpoint$/ : figure === 'temperature' ? /(^|\.)(sensor|name|id)$/ : /(?!)/;
  const named = Object.entries(labels).find(([name]) => wanted.test(name));
  return named?.[1] ?? Object.entries(labels).filter(([name]) => !/state$/.test(name))[0]?.[1] ?? '';
}

/** A value in the unit that a column has; undefined where nobody knows how to make it that. */
export function figureValue(figure: Figure, value: number, unit: string | undefined): number | undefined {
  const own = metricDefinition(FIGURE_METRICS[figure])?.unit;
  const conversion = conversionBetween(unit ?? own ?? '', own ?? '');
  return conversion && convert(value, conversion);
}

function takePart(entry: Entry, figure: Figure, sample: FleetSample, time: number): void {
  const { labels } = sample;
  const value = figureValue(figure, sample.value, sample.unit);
  if (value === undefined) return;
  const of = partOf(figure, labels);
  const key = JSON.stringify(labels);
  const before = entry.parts[figure].get(key);
  if (before && before.time > time) return;
  entry.parts[figure].set(key, { value, of, time });
  const spark = entry.sparks[figure];
  if (!spark) return;
  const step = Math.floor(time / SPARK_STEP) * SPARK_STEP;
  for (; spark.step < step; spark.step += SPARK_STEP) {
    spark.values.push(null);
    if (spark.values.length > SPARK_STEPS) spark.values.shift();
  }
  if (step === spark.step)
    spark.values[spark.values.length - 1] = figureOfParts(figure, entry.parts[figure])?.value ?? value;
}

/** The key of a series without labels. */
const WHOLE = '{}';
/** A part that is so much older than others has stopped, ms. */
const STOPPED = 600_000;

/** Of processors the whole, or where nobody sends it their mean; of all else the largest. Parts that have stopped while others go on do not count. */
function figureOfParts(
  figure: Figure,
  parts: ReadonlyMap<string, FigureValue & { time: number }>,
): FigureValue | undefined {
  const newest = Math.max(...[...parts.values()].map(({ time }) => time));
  const going = [...parts].filter(([, { time }]) => time >= newest - STOPPED);
  const [first] = going;
  if (!first) return undefined;
  if (figure === 'cpu') {
    const whole = going.find(([key]) => key === WHOLE)?.[1];
    return { value: whole?.value ?? going.reduce((sum, [, { value }]) => sum + value, 0) / going.length };
  }
  const [, { value, of }] = going.reduce((most, one) => (one[1].value > most[1].value ? one : most), first);
  return { value, ...(of && { of }) };
}

function shownOf({ shown, parts, lastSeen, sparks }: Entry, now: number): FleetDevice {
  const figures = Object.fromEntries(
    FIGURES.flatMap((figure) => {
      const value = figureOfParts(figure, parts[figure]);
      return value ? [[figure, value]] : [];
    }),
  );
  return {
    device: shown.device,
    status: statusAt(shown.device, lastSeen, now),
    lastSeen,
    figures,
    sparks: Object.fromEntries(Object.entries(sparks).map(([figure, { values }]) => [figure, [...values]])),
  };
}

/** What the api would call the device now: it says after what silence a device is late, and after what offline. */
function statusAt({ last_seen, late_at, offline_at }: DeviceDto, lastSeen: number, now: number): DeviceDto['status'] {
  const moved = lastSeen - Date.parse(last_seen);
  if (now >= Date.parse(offline_at) + moved) return 'offline';
  return now >= Date.parse(late_at) + moved ? 'late' : 'online';
}

/** Since when a device is late or offline, ms. */
export function silentSince({ device, lastSeen, status }: FleetDevice): number {
  const bound = status === 'late' ? device.late_at : device.offline_at;
  return Date.parse(bound) + lastSeen - Date.parse(device.last_seen);
}
