const MILLISECONDS = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
} as const;
const BYTES = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

/**
 * Whole milliseconds of a duration such as `500ms`, `1.5h`, `7d`, `2w` or `5y` (of 365 days): the one grammar of settings,
 * configuration files and query parameters. Undefined for any other text, and where less than a millisecond remains.
 */
export function parseDuration(text: string): number | undefined {
  return amount(/^(\d{1,12}(?:\.\d{1,12})?)(ms|s|m|h|d|w|y)$/.exec(text), MILLISECONDS, 1);
}

/** Whole bytes of a size such as `1048576`, `512MiB` or `1 GiB`; undefined for any other text. */
export function parseBytes(text: string): number | undefined {
  return amount(/^(\d{1,16}(?:\.\d{1,12})?) ?(KiB|MiB|GiB|TiB)?$/.exec(text), BYTES, 0);
}

function amount(match: RegExpExecArray | null, units: Record<string, number>, least: number): number | undefined {
  if (!match) return undefined;
  const value = Math.round(Number(match[1]) * (units[match[2] ?? ''] ?? NaN));
  return value >= least && Number.isSafeInteger(value) ? value : undefined;
}

/** A time span as a person reads it: `850 ms`, `12 s`, `3 min`, `2.5 h`. */
export function showDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 120_000) return `${Math.round(milliseconds / 100) / 10} s`;
  if (milliseconds < 7_200_000) return `${Math.round(milliseconds / 60_000)} min`;
  return `${Math.round(milliseconds / 360_000) / 10} h`;
}

/** The number of a decimal text such as `-1.5e3` or `.5`; undefined for any other text, `1,5`, `0x10` and `NaN` too. */
export function parseDecimal(text: string): number | undefined {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}
