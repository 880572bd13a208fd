import { parseTime } from '@device-metrics/contract';
import { DAY, HOUR, MINUTE, parseDuration, quote } from '@device-metrics/domain';

const NAME = /^[^\p{Cc}]{1,128}$/u;

/** As a person would write it: `7d`, `90m`, `10s`. */
function spanText(length: number): string {
  if (length % DAY === 0) return `${length / DAY}d`;
  if (length % HOUR === 0) return `${length / HOUR}h`;
  return length % MINUTE === 0 ? `${length / MINUTE}m` : `${length / 1_000}s`;
}

/** A mistake in something that a person wrote: where, and what is allowed. */
export interface Mistake {
  /** As in `rules[2].condition.above`; empty for the whole. */
  readonly field: string;
  readonly reason: string;
}

/** Something that a person wrote cannot be used; it says every mistake at once. */
export class MistakesError extends Error {
  override readonly name = 'MistakesError';

  constructor(readonly mistakes: readonly Mistake[]) {
    super(mistakes.map(({ field, reason }) => `${field} ${reason}`.trim()).join('\n'));
  }
}

/** @throws MistakesError when `read` notes any mistake. */
export function readAll<T>(read: (mistakes: Mistake[]) => T): T {
  const mistakes: Mistake[] = [];
  const result = read(mistakes);
  if (mistakes.length > 0) throw new MistakesError(mistakes);
  return result;
}

/**
 * Reads an object that a person wrote, key by key. What is wrong is noted with its path and read as the fallback, so that
 * every mistake is found at once. `end` notes keys that nobody asked for.
 */
export class ObjectReader {
  private readonly object: Readonly<Record<string, unknown>>;
  private readonly asked = new Set<string>();

  constructor(
    value: unknown,
    readonly path: string,
    private readonly mistakes: Mistake[],
  ) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isObject) this.note('', `must be an object, got ${quote(value)}`);
    this.object = isObject ? (value as Record<string, unknown>) : {};
  }

  note(key: string, reason: string): void {
    this.mistakes.push({ field: this.pathOf(key), reason });
  }

  pathOf(key: string): string {
    if (key === '') return this.path;
    return this.path === '' ? key : `${this.path}.${key}`;
  }

  has(key: string): boolean {
    this.asked.add(key);
    return Object.hasOwn(this.object, key) && this.object[key] !== undefined && this.object[key] !== null;
  }

  value(key: string): unknown {
    return this.has(key) ? this.object[key] : undefined;
  }

  text(key: string, fallback: string | undefined, longest = 255): string {
    return this.read(key, fallback, `a text of 1 to ${longest} characters`, (value) =>
      typeof value === 'string' && value.trim() !== '' && value.length <= longest ? value : undefined,
    );
  }

  /** What something is called, and found by in an address. */
  name(key: string): string {
    return this.read(key, undefined, 'a name of 1 to 128 printable characters without space at its ends', (value) =>
      typeof value === 'string' && NAME.test(value) && value.trim() === value && !/^\.\.?$/.test(value)
        ? value
        : undefined,
    );
  }

  /** Unix milliseconds of an RFC 3339 time. */
  time(key: string): number {
    return this.read(key, undefined, 'a time such as "2026-01-15T10:00:00Z"', parseTime) ?? 0;
  }

  number(key: string, fallback?: number): number {
    return this.read(key, fallback, 'a number', (value) => (Number.isFinite(value) ? (value as number) : undefined));
  }

  optionalNumber(key: string): number | undefined {
    return this.has(key) ? this.number(key, NaN) : undefined;
  }

  integer(key: string, fallback: number, min: number, max: number): number {
    return this.read(key, fallback, `an integer from ${min} to ${max}`, (value) =>
      Number.isInteger(value) && (value as number) >= min && (value as number) <= max ? (value as number) : undefined,
    );
  }

  flag(key: string, fallback: boolean): boolean {
    return this.read(key, fallback, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined));
  }

  oneOf<T extends string>(key: string, allowed: readonly T[], fallback?: T): T {
    return this.read(key, fallback, `one of ${allowed.join(', ')}`, (value) => allowed.find((one) => one === value));
  }

  /** Milliseconds. */
  duration(key: string, fallback: number | undefined, min = 0, max = 400 * DAY): number {
    const lengths = min > 0 ? `${spanText(min)} to ${spanText(max)}` : `at most ${spanText(max)}`;
    return this.read(key, fallback, `a duration of ${lengths}, written as 30s, 10m or 3d`, (value) => {
      const length = value === 0 || value === '0' || value === '0s' ? 0 : parseDuration(String(value));
      return typeof value !== 'boolean' && length !== undefined && length >= min && length <= max ? length : undefined;
    });
  }

  /** A list of texts; a single one is a list of one. */
  texts(key: string, allowed: string, accepts: (text: string) => boolean): string[] | undefined {
    if (!this.has(key)) return undefined;
    const value = this.object[key];
    const list: unknown[] = Array.isArray(value) ? value : [value];
    const wrong = list.find((text) => typeof text !== 'string' || text === '' || text.length > 255 || !accepts(text));
    if (list.length === 0 || wrong !== undefined) this.note(key, `must be ${allowed}, got ${quote(wrong ?? value)}`);
    return list as string[];
  }

  /** String pairs. */
  pairs(key: string): Record<string, string> {
    const value = this.value(key) ?? {};
    const isPairs =
      typeof value === 'object' &&
      !Array.isArray(value) &&
      Object.values(value).every((one) => typeof one === 'string');
    if (isPairs && Object.keys(value).length <= 32) return value as Record<string, string>;
    this.note(key, `must be an object of at most 32 texts, such as {"team": "lab"}, got ${quote(value)}`);
    return {};
  }

  inner(key: string): ObjectReader {
    return new ObjectReader(this.value(key) ?? {}, this.pathOf(key), this.mistakes);
  }

  list<T>(key: string, read: (item: ObjectReader) => T): T[] {
    const value = this.value(key) ?? [];
    if (!Array.isArray(value) || value.length > 1_000) {
      this.note(key, `must be a list of at most 1000, got ${quote(value)}`);
      return [];
    }
    return value.map((item, index) => {
      const reader = new ObjectReader(item, `${this.pathOf(key)}[${index}]`, this.mistakes);
      const result = read(reader);
      reader.end();
      return result;
    });
  }

  /** Notes the keys that were not asked for. */
  end(): void {
    for (const key of Object.keys(this.object)) {
      if (!this.asked.has(key)) this.note(key, `is unknown; allowed are ${[...this.asked].join(', ')}`);
    }
  }

  private read<T>(key: string, fallback: T | undefined, allowed: string, parse: (value: unknown) => T | undefined): T {
    const value = this.value(key);
    const parsed = value === undefined ? fallback : parse(value);
    if (parsed === undefined) this.note(key, `must be ${allowed}, got ${quote(value)}`);
    return parsed as T;
  }
}
