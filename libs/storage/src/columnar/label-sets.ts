import { labelsKey, type Labels } from '@device-metrics/domain';

/** Sets that are looked for among. The series of a device come together, and mostly share theirs with one another. */
const MOST_SETS = 20_000;

/** The labels of a series, and of all others that have the same. */
export class LabelSet {
  private parsed: Labels | undefined;

  /** @param key what `labelsKey` makes of them. */
  constructor(readonly key: string) {}

  /** Made when somebody asks for the first time. */
  get labels(): Labels {
    return (this.parsed ??= Object.freeze(JSON.parse(this.key) as Labels));
  }
}

export const UNLABELLED = new LabelSet(labelsKey({}));

/** One set for labels that are equal: kept for each of its series they would take more memory than all else of these. */
export class LabelSets {
  private readonly known = new Map<string, LabelSet>();

  of(key: string): LabelSet {
    if (key === UNLABELLED.key) return UNLABELLED;
    const known = this.known.get(key);
    if (known) return known;
    if (this.known.size >= MOST_SETS) this.known.clear();
    const set = new LabelSet(key);
    this.known.set(key, set);
    return set;
  }
}
