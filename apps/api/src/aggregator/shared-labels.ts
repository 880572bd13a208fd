import { labelsKey, type Labels } from '@device-metrics/domain';

/** Sets of labels that are kept. */
const MOST_LABELS = 100_000;

/** One object for labels that are equal: series share them, and there are many series. */
export class SharedLabels {
  private readonly known = new Map<string, Labels>();

  of(labels: Labels): Labels {
    const key = labelsKey(labels);
    const known = this.known.get(key);
    if (known) return known;
    if (this.known.size >= MOST_LABELS) this.known.clear();
    this.known.set(key, Object.freeze(labels));
    return labels;
  }
}
