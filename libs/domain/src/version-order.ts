/**
 * Whether a version such as `1.10.0` or `1.10.0-rc.1` comes after another, by the rules of semver.org: numbers as numbers, and
 * what leads up to a version before it. What is no such version comes before all that are.
 */
export function isNewer(version: string, than: string): boolean {
  const [one, other] = [partsOf(version), partsOf(than)];
  if (!one || !other) return one !== undefined;
  return compare(one, other) > 0;
}

interface Parts {
  readonly numbers: readonly number[];
  /** What stands behind the `-`; empty in a version that is out. */
  readonly before: readonly string[];
}

function partsOf(version: string): Parts | undefined {
  const [, core = '', before = ''] = /^(\d+(?:\.\d+)*)(?:[-~]([0-9A-Za-z.-]+))?(?:\+.*)?$/.exec(version) ?? [];
  if (core === '') return undefined;
  return { numbers: core.split('.').map(Number), before: before === '' ? [] : before.split('.') };
}

function compare(one: Parts, other: Parts): number {
  for (let at = 0; at < Math.max(one.numbers.length, other.numbers.length); at += 1) {
    const difference = (one.numbers[at] ?? 0) - (other.numbers[at] ?? 0);
    if (difference !== 0) return difference;
  }
  if (one.before.length === 0 || other.before.length === 0) return other.before.length - one.before.length;
  for (let at = 0; at < Math.max(one.before.length, other.before.length); at += 1) {
    const difference = comparePart(one.before[at], other.before[at]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function comparePart(one: string | undefined, other: string | undefined): number {
  if (one === undefined || other === undefined) return one === other ? 0 : one === undefined ? -1 : 1;
  const [isNumber, isOtherNumber] = [/^\d+$/.test(one), /^\d+$/.test(other)];
  if (isNumber && isOtherNumber) return Number(one) - Number(other);
  if (isNumber !== isOtherNumber) return isNumber ? -1 : 1;
  return one === other ? 0 : one < other ? -1 : 1;
}
