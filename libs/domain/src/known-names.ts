import type { Labels } from './sample.js';
import { deviceNameRule, metricNameRule, unitRule, type Rule } from './sample-rules.js';

/**
 * Names that have passed their rule, each as one string that all its samples share: it is hashed and compared once
 * instead of wherever the sample goes. Bounded: when it is full of names it starts again.
 */
class KnownNames {
  private readonly names = new Map<unknown, string>();

  constructor(private readonly rule: Rule) {}

  /** The shared string, composed (NFC): é is one name, however it was typed. Undefined where the name is refused. */
  get(name: unknown): string | undefined {
    const known = this.names.get(name);
    if (known !== undefined) return known;
    if (this.rule(name) !== undefined) return undefined;
    const composed = (name as string).normalize('NFC');
    if (this.names.size >= 20_000) this.names.clear();
    this.names.set(name, composed);
    return composed;
  }
}

export const deviceNames = new KnownNames(deviceNameRule);
export const metricNames = new KnownNames(metricNameRule);
export const units = new KnownNames(unitRule);

const ASCII = /^[\x20-\x7E]*$/;

/** Labels that obey their rule, composed (NFC); the same object where nothing is to be composed, which is nearly always. */
export function composedLabels(labels: Labels): Labels {
  for (const name in labels) {
    if (ASCII.test(name) && ASCII.test(labels[name] ?? '')) continue;
    return Object.fromEntries(
      Object.entries(labels).map(([name, text]) => [name.normalize('NFC'), text.normalize('NFC')]),
    );
  }
  return labels;
}
