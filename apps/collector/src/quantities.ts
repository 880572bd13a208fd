const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
const BYTES = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;

/** Milliseconds of `500ms`, `10s`, `5m` or `1h`; undefined for any other text. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim());
  return match ? Math.round(Number(match[1]) * MILLISECONDS[match[2] as keyof typeof MILLISECONDS]) : undefined;
}

/** Bytes of `1048576`, `512MiB` or `1 GiB`; undefined for any other text. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?(KiB|MiB|GiB|TiB)?$/.exec(text.trim());
  return match ? Math.round(Number(match[1]) * BYTES[(match[2] ?? '') as keyof typeof BYTES]) : undefined;
}

/** A time span as a person reads it: `850 ms`, `12 s`, `3 min`, `2.5 h`. */
export function showDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 120_000) return `${Math.round(milliseconds / 100) / 10} s`;
  if (milliseconds < 7_200_000) return `${Math.round(milliseconds / 60_000)} min`;
  return `${Math.round(milliseconds / 360_000) / 10} h`;
}
