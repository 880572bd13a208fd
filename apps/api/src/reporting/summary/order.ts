import { inSlices, orderInSlices, quote, type Rule } from '@device-metrics/domain';
import { invalidInput } from '../../http/problem.js';
import { compareKeys, type SummaryGroup } from './grouping.js';

export const SORT_KEYS = [
  ...([
    'device_name',
    'metric_name',
    'series',
    'count',
    'min',
    'max',
    'mean',
    'last',
    'last_time',
    'increase',
  ] as const),
  ...(['before', 'difference', 'percent'] as const),
] as const;
type SortKey = (typeof SORT_KEYS)[number];

/** @throws Problem when `sort` is by what only `offset` brings. */
export function refuseSortWithoutOffset(sort: string | undefined, offset: string | undefined): void {
  if (offset !== undefined || !/^-?(before|difference|percent)$/.test(sort ?? '')) return;
  throw invalidInput([{ field: 'sort', reason: `goes with offset, which is missing, got ${quote(sort)}` }]);
}

/** Of `sort` in a query. */
export const sortRule: Rule = (value) =>
  typeof value === 'string' && SORT_KEYS.some((key) => value === key || value === `-${key}`)
    ? undefined
    : `must be one of ${SORT_KEYS.join(', ')}, with - before it for the largest first, got ${quote(value)}`;

/** Where a row stands: what it is sorted by, null where it has no such number, and its key. */
export interface Place {
  readonly value: string | number | null;
  readonly key: readonly string[];
}

/** What no two rows have in common: the key of their series, and what their numbers are. */
export const keyOf = ({ key, row }: SummaryGroup): readonly string[] => [...key, row.as];

/**
 * The rows behind a place, or all, whatever has come or gone before it: sorted by one column, a `-` before its name for the
 * largest first, rows without a number last; else by their keys, as they come.
 */
export async function rowsInOrder(
  groups: readonly SummaryGroup[],
  place: Place | undefined,
  sort: string | undefined,
): Promise<readonly SummaryGroup[]> {
  if (sort === undefined && !place) return groups;
  const descending = isDescending(sort);
  const rest: SummaryGroup[] = [];
  const values: Place['value'][] = [];
  await inSlices(groups, (group) => {
    const value = valueOf(group, sort);
    if (place && (compareValues(value, place.value, descending) || compareGroup(group, place.key)) <= 0) return;
    rest.push(group);
    values.push(value);
  });
  if (sort === undefined) return rest;
  // Where values are alike, the rows stay in the order of their keys, in which they come.
  const order = await orderInSlices(rest.length, (a, b) =>
    compareValues(values[a] as Place['value'], values[b] as Place['value'], descending),
  );
  return Array.from(order, (at) => rest[at] as SummaryGroup);
}

const isDescending = (sort: string | undefined): boolean => sort?.startsWith('-') ?? false;

export const placeOf = (group: SummaryGroup, sort: string | undefined): Place => ({
  value: valueOf(group, sort),
  key: keyOf(group),
});

function valueOf({ row }: SummaryGroup, sort: string | undefined): Place['value'] {
  if (sort === undefined) return null;
  const column = (isDescending(sort) ? sort.slice(1) : sort) as SortKey;
  const value = (row as Readonly<Record<SortKey, string | number | null | undefined>>)[column] ?? null;
  return Number.isNaN(value) ? null : value;
}

function compareValues(a: Place['value'], b: Place['value'], descending: boolean): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  return a < b !== descending ? -1 : 1;
}

/** As `keyOf` of the group. */
const compareGroup = ({ key, row }: SummaryGroup, other: readonly string[]): number =>
  compareKeys(key, other) || compareKeys([row.as], other.slice(key.length));

export const encodePlace = ({ value, key }: Place): string =>
  Buffer.from(JSON.stringify([value, ...key])).toString('base64url');

/** Undefined for a text that `encodePlace` never gave. */
export function decodePlace(text: string): Place | undefined {
  try {
    const [value, ...key] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[];
    const isValue = value === null || typeof value === 'string' || typeof value === 'number';
    if (!isValue || key.length !== KEY_PARTS || !key.every((part) => typeof part === 'string')) return undefined;
    return { value, key };
  } catch {
    return undefined;
  }
}

/** Those of a series group, and the kind of its numbers. */
const KEY_PARTS = 6;

/** Of `cursor` in a query. */
export const placeRule: Rule = (value) =>
  typeof value === 'string' && decodePlace(value)
    ? undefined
    : `must be the next_cursor of a page, got ${quote(value)}`;
