import { conversionBetween, convert } from '@device-metrics/domain';
import type { Figures } from '@device-metrics/query';
import type { Line, Metric } from './figures.js';

/** File systems that are named, the fullest. */
const MOST_DISKS = 4;

/** One of the numbers that say how a PC is. */
export interface Glance {
  readonly what: string;
  /** Shares, from 0 to 1. */
  readonly figures: Figures;
}

/** Processors, memory and disks, as far as the device has them. */
export function glance(metrics: readonly Metric[]): Glance[] {
  const byName = new Map(metrics.map((metric) => [metric.name, inShares(metric)]));
  const first = (...names: string[]): Metric | undefined =>
    names.map((name) => byName.get(name)).find((metric) => metric?.figures !== undefined);
  const processors = first('system.cpu.utilization', 'system.cpu.time');
  // A series without a number tells of all processors together.
  const total = processors?.lines.find(({ labels }) => Object.keys(labels).length === 0);
  return [
    ...row('Processors busy', total?.figures ?? ofAll(processors)),
    ...row('Memory used', first('system.memory.utilization', 'system.memory.usage')?.figures),
    ...fullest(byName.get('system.filesystem.utilization')?.lines ?? []),
  ];
}

/** A utilization that is sent in per cent, as a share. */
function inShares(metric: Metric): Metric {
  const conversion = metric.lineUcum === null ? undefined : conversionBetween(metric.lineUcum, '1');
  if (!conversion || conversion.factor === 1) return metric;
  const inShare = (figures: Figures | undefined): Figures | undefined =>
    figures && {
      ...figures,
      min: convert(figures.min, conversion),
      max: convert(figures.max, conversion),
      mean: convert(figures.mean, conversion),
      last: convert(figures.last, conversion),
    };
  const lines = metric.lines.map((line) => ({ ...line, figures: inShare(line.figures) }));
  return { ...metric, figures: inShare(metric.figures), lines };
}

/** The last value is that of all things together, rather than of the one that was read last. */
function ofAll(metric: Metric | undefined): Figures | undefined {
  const last = metric?.lines.flatMap(({ figures }) => figures?.last ?? []) ?? [];
  return metric?.figures && { ...metric.figures, last: last.reduce((sum, value) => sum + value, 0) / last.length };
}

const row = (what: string, figures: Figures | undefined): Glance[] => (figures ? [{ what, figures }] : []);

const fullest = (lines: readonly Line[]): Glance[] =>
  lines
    .flatMap(({ labels, figures }) =>
      row(`Disk ${labels['system.filesystem.mountpoint'] ?? labels['system.device'] ?? ''} full`, figures),
    )
    .toSorted((a, b) => b.figures.last - a.figures.last)
    .slice(0, MOST_DISKS);
