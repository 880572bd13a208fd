import { quote } from '@device-metrics/domain';
import { parseNumber, seriesKey, type ExposedSample } from './exposition.js';

/** What the names of the samples of each type end with. */
const SUFFIXES = {
  unknown: [''],
  gauge: [''],
  counter: ['_total', '_created'],
  stateset: [''],
  info: ['_info'],
  histogram: ['_bucket', '_count', '_sum', '_created'],
  gaugehistogram: ['_bucket', '_gcount', '_gsum'],
  summary: ['', '_count', '_sum', '_created'],
} as const;

export type FamilyType = keyof typeof SUFFIXES;
export const TYPES: readonly string[] = Object.keys(SUFFIXES);

/** The samples of one `# TYPE`, which stand together. */
export class Family {
  type: FamilyType = 'unknown';
  unit = '';
  sampled = false;
  /** The last bucket of each histogram. */
  readonly buckets = new Map<string, { readonly le: number; readonly value: number }>();
  private readonly described = new Set<string>();

  constructor(
    readonly name: string,
    private readonly isTwin = false,
  ) {}

  /**
   * Every program with Go's client has the gauge `go_memstats_alloc_bytes` and the counter `go_memstats_alloc_bytes_total`,
   * which are families of one name here: a counter may follow a gauge of its name.
   */
  get mayHaveTwin(): boolean {
    return this.type === 'gauge' && this.sampled && !this.isTwin;
  }

  describe(keyword: 'HELP' | 'TYPE' | 'UNIT', text: string): void {
    const misfit = this.isTwin && keyword === 'TYPE' && text !== 'counter';
    if (this.described.has(keyword) || misfit) throw new Error(`a second ${keyword} of ${this.name}`);
    if (this.sampled) throw new Error(`the ${keyword} of ${this.name} must come before its samples`);
    this.described.add(keyword);
    if (keyword === 'TYPE') this.type = text as FamilyType;
    if (keyword === 'UNIT') this.unit = text;
    if (this.unit === '') return;
    if (!this.name.endsWith(`_${this.unit}`)) throw new Error(`${this.name} must end with its unit, _${this.unit}`);
    if (this.type === 'info' || this.type === 'stateset') throw new Error(`a metric of type ${this.type} has no unit`);
  }

  /** Whether a sample of this name belongs here. */
  takes(name: string): boolean {
    if (SUFFIXES[this.type].some((suffix) => name === this.name + suffix)) return true;
    if (name !== this.name) return false;
    const allowed = SUFFIXES[this.type].map((suffix) => this.name + suffix);
    throw new Error(`${name} is a ${this.type}; its samples are ${allowed.join(', ')}`);
  }

  /** Call it when the last sample has been read. */
  end(): void {
    for (const [key, { le }] of this.buckets) {
      if (le !== Infinity) throw new Error(`the histogram ${key} before this line has no bucket le="+Inf"`);
    }
  }
}

/** @throws Error where a sample breaks a rule of its family's type. */
export function checkSample(family: Family, sample: ExposedSample): void {
  const { name, labels, value } = sample;
  const suffix = name.slice(family.name.length);
  const counts = ['_total', '_count', '_bucket', '_gcount'].includes(suffix);
  if (counts && family.type !== 'unknown' && !(value >= 0)) {
    throw new Error(`${name} counts, and so must be 0 or more, got ${value}`);
  }
  if (suffix === '_bucket') checkBucket(family, sample);
  if (family.type === 'summary' && suffix === '') {
    const quantile = parseNumber(labels['quantile'] ?? '');
    if (quantile === undefined || !(quantile >= 0 && quantile <= 1)) {
      throw new Error(`the label quantile of ${name} must be from 0 to 1, got ${quote(labels['quantile'])}`);
    }
  }
  if (family.type === 'stateset') {
    if (labels[family.name] === undefined) throw new Error(`a state of ${name} must have the label ${family.name}`);
    if (value !== 0 && value !== 1) throw new Error(`a state of ${name} must be 0 or 1, got ${value}`);
  }
  if (family.type === 'info' && value !== 1) throw new Error(`${name} must be 1, got ${value}`);
}

function checkBucket(family: Family, { name, labels: { le: text, ...others }, value }: ExposedSample): void {
  const le = parseNumber(text ?? '');
  if (le === undefined || Number.isNaN(le))
    throw new Error(`the label le of ${name} must be a number, got ${quote(text)}`);
  const key = seriesKey(family.name, others);
  const before = family.buckets.get(key);
  if (before && before.le !== Infinity) {
    if (le <= before.le) throw new Error(`the buckets of ${name} must grow, got le=${quote(text)} after ${before.le}`);
    if (value < before.value)
      throw new Error(`the buckets of ${name} add up, but ${value} comes after ${before.value}`);
  }
  family.buckets.set(key, { le, value });
}
