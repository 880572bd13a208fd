import type { Labels } from './sample.js';

/** One device, one metric, one set of labels. */
export interface Series {
  readonly id: number;
  readonly deviceName: string;
  readonly metricName: string;
  readonly labels: Labels;
  /** UCUM; null while nobody has said. */
  readonly unit: string | null;
}

/** The same text for the same labels, whatever the order in which they were written: JSON with sorted keys. */
export function labelsKey(labels: Labels): string {
  const names = Object.keys(labels);
  if (isSorted(names)) return JSON.stringify(labels);
  const entries = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(entries));
}

function isSorted(names: readonly string[]): boolean {
  for (let at = 1; at < names.length; at += 1) if ((names[at - 1] as string) > (names[at] as string)) return false;
  return true;
}
