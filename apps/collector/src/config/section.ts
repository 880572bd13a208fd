import { didYouMean, metricNameRule, parseDuration, quote, reasonOf } from '@device-metrics/domain';
import type { Mistakes } from '@device-metrics/settings';
import { secretsOfNoUrl } from './redact.js';

type Mapping = Record<string, unknown>;

/**
 * One mapping of the configuration file, read key by key. A wrong value becomes a mistake and the reader gets a stand-in
 * of the right type, so that one pass finds every mistake; nothing starts while there is one. `end` finds the keys that
 * nobody asked for.
 */
export class Section {
  private readonly mapping: Mapping;
  private readonly known = new Set<string>();

  constructor(
    value: unknown,
    readonly path: string,
    private readonly mistakes: Mistakes,
    /** Called with each text that must not show in a log, as the value of a header. */
    private readonly onSecret: (text: string) => void = () => undefined,
  ) {
    this.mapping = isMapping(value) ? value : {};
  }

  mistake(key: string, reason: string): void {
    this.mistakes.add(this.pathOf(key), reason);
  }

  /** Whether the file says anything for this key. */
  has(key: string): boolean {
    return this.value(key) !== undefined;
  }

  /** Whether the file has just this value for the key, as in `gpu: false`. */
  is(key: string, value: unknown): boolean {
    return this.value(key) === value;
  }

  /** The section of a key without what the file says in it. */
  empty(key: string): Section {
    return new Section({}, this.pathOf(key), this.mistakes, this.onSecret);
  }

  /** A section that the file does not have, with what it would say. */
  beside(value: unknown): Section {
    return new Section(value, '', this.mistakes, this.onSecret);
  }

  text(key: string): string {
    return this.required(key, 'text', '', isText);
  }

  /** A name that the api takes for a metric. */
  metricName(key: string): string {
    const name = this.text(key);
    const wrong = name === '' ? undefined : metricNameRule(name);
    if (wrong !== undefined) this.mistake(key, wrong);
    return name;
  }

  optionalText(key: string): string | undefined {
    return this.optional(key, undefined, 'text', isText);
  }

  /** A text that is never shown, as a password. */
  secret(key: string): string | undefined {
    const value = this.value(key);
    if (isText(value)) this.onSecret(value);
    else if (value === '') this.mistake(key, 'must not be empty');
    else if (value !== undefined) this.mistake(key, 'must be text; put it in quotes');
    return isText(value) ? value : undefined;
  }

  /** Says that a text must not show in any log, as a part of a value that is a secret. */
  hide(text: string): void {
    this.onSecret(text);
  }

  /** Every key that the file has here. */
  get keys(): string[] {
    return Object.keys(this.mapping);
  }

  /** The texts of every key that the file has for this key, as in `query: {limit: "10"}`; numbers become texts. */
  textsByName(key: string): Record<string, string> {
    const section = this.section(key);
    return Object.fromEntries(section.keys.map((name) => [name, section.scalar(name)]));
  }

  /** An http or https URL. */
  url(key: string): string {
    const value = this.value(key);
    if (isText(value) && !isUrl(value)) secretsOfNoUrl(value).forEach(this.onSecret);
    return this.required(key, 'a URL that begins with http:// or https://', 'http://invalid', isUrl);
  }

  flag(key: string, fallback: boolean): boolean {
    return this.optional(key, fallback, 'true or false', (value) => typeof value === 'boolean');
  }

  count(key: string, fallback: number, min: number, max: number): number {
    const fits = (value: unknown): value is number =>
      Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
    return this.optional(key, fallback, `a whole number from ${min} to ${max}`, fits);
  }

  /** Any finite number. */
  number(key: string, fallback: number): number {
    return this.optional(key, fallback, 'a number', (value): value is number => Number.isFinite(value));
  }

  /** A list of finite numbers; empty where the file says nothing. */
  numbers(key: string): readonly number[] {
    const isList = (value: unknown): value is unknown[] => Array.isArray(value);
    const items: readonly unknown[] = this.optional(key, [], 'a list of numbers', isList);
    return items.filter((item, index): item is number => {
      if (!Number.isFinite(item)) this.mistake(`${key}[${index}]`, `must be a number, got ${quote(item)}`);
      return Number.isFinite(item);
    });
  }

  /** Milliseconds of a text such as `10s`. */
  duration(key: string, fallback: number, min: number, max: number): number {
    const value = this.value(key);
    if (value === undefined) return fallback;
    const duration = isText(value) ? parseDuration(value.trim()) : undefined;
    if (duration !== undefined && duration >= min && duration <= max) return duration;
    this.mistake(key, `must be a duration from ${min}ms to ${max / 1000}s, as in 10s, got ${quote(value)}`);
    return fallback;
  }

  /** One of the allowed texts; a number stands for its text, as in `version: 3`. */
  choice<T extends string>(key: string, allowed: readonly T[], fallback: T): T {
    const value = typeof this.value(key) === 'number' ? String(this.value(key)) : this.optionalText(key);
    if (value === undefined || allowed.includes(value as T)) return (value as T | undefined) ?? fallback;
    this.mistake(key, `must be one of ${allowed.join(', ')}, got ${quote(value)}${didYouMean(value, allowed)}`);
    return fallback;
  }

  texts(key: string, fallback: readonly string[]): readonly string[] {
    const items = this.optional(key, fallback, 'a list of texts', (value): value is unknown[] => Array.isArray(value));
    return items.filter((item, index): item is string => {
      const hint = typeof item === 'number' || typeof item === 'boolean' ? '; put it in quotes' : '';
      if (!isText(item)) this.mistake(`${key}[${index}]`, `must be text, got ${quote(item)}${hint}`);
      return isText(item);
    });
  }

  /** The headers of a request: texts by name, all secret but those that no server takes for a key. */
  headers(key: string): Record<string, string> {
    const value = this.value(key);
    // What came is not quoted: it may be `X-Api-Key: secret`.
    if (value !== undefined && !isMapping(value)) this.mistake(key, 'must be keys and values, as in {name: text}');
    const section = this.section(key);
    const entries = Object.keys(section.mapping).map((name) => {
      return [name, (PUBLIC_HEADERS.test(name) ? section.optionalText(name) : section.secret(name)) ?? ''] as const;
    });
    return Object.fromEntries(entries);
  }

  /** What `parse` makes of a required text; it throws with what is wrong. */
  parsed<T>(key: string, parse: (text: string) => T): T | undefined {
    const text = this.text(key);
    if (text === '') return undefined;
    try {
      return parse(text);
    } catch (error) {
      this.mistake(key, reasonOf(error));
      return undefined;
    }
  }

  /** @param allowed what a mistake says that the key may have. */
  section(key: string, allowed = 'keys and values'): Section {
    const value = this.value(key);
    if (value !== undefined && !isMapping(value)) this.mistake(key, `must be ${allowed}, got ${quote(value)}`);
    return new Section(value, this.pathOf(key), this.mistakes, this.onSecret);
  }

  sections(key: string): Section[] {
    const items = this.optional(key, [], 'a list', (value): value is unknown[] => Array.isArray(value));
    return items.map((item, index) => {
      const path = `${this.pathOf(key)}[${index}]`;
      if (!isMapping(item)) this.mistakes.add(path, `must be keys and values, got ${quote(item)}`);
      return new Section(item, path, this.mistakes, this.onSecret);
    });
  }

  /** Everything as the file has it, to tell whether it has changed. */
  get source(): string {
    return JSON.stringify(this.mapping);
  }

  /** Call it last: every key that has not been asked for is a mistake. */
  end(): void {
    for (const key of Object.keys(this.mapping)) {
      if (this.known.has(key)) continue;
      const known = [...this.known];
      this.mistake(key, `is not known here${didYouMean(key, known) || `; known are ${known.join(', ')}`}`);
    }
  }

  private scalar(key: string): string {
    const value = this.value(key);
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : this.text(key);
  }

  private value(key: string): unknown {
    this.known.add(key);
    const value = Object.hasOwn(this.mapping, key) ? this.mapping[key] : undefined;
    return value === null ? undefined : value;
  }

  private required<T>(key: string, allowed: string, standIn: T, fits: (value: unknown) => value is T): T {
    if (this.value(key) === undefined) this.mistake(key, `is missing; it must be ${allowed}`);
    return this.optional(key, standIn, allowed, fits);
  }

  private optional<T, F>(key: string, fallback: F, allowed: string, fits: (value: unknown) => value is T): T | F {
    const value = this.value(key);
    if (value === undefined) return fallback;
    if (fits(value)) return value;
    this.mistake(key, `must be ${allowed}, got ${quote(value)}`);
    return fallback;
  }

  private pathOf(key: string): string {
    return this.path === '' ? key : `${this.path}.${key}`;
  }
}

const PUBLIC_HEADERS = /^(accept.*|content-type|user-agent)$/i;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
export const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isUrl = (value: unknown): value is string => isText(value) && /^https?:\/\//i.test(value) && URL.canParse(value);
