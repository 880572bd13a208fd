import { FIGURES, type Figure, type FleetDevice } from '../../data/fleet.js';

/** What the address says about the table. */
export interface Arrangement {
  /** Words that name, display name, notes or tags must all contain. */
  readonly search: string;
  /** Statuses to show; none: all. */
  readonly status: readonly string[];
  /** `name=value` that the device must have. */
  readonly tags: readonly string[];
  /** A column, with `-` from the largest on. */
  readonly sort: string;
  /** The tag whose values make groups. */
  readonly groupBy: string | undefined;
}

/** A row of the table: a device, or the head of a group of them. */
export type Row =
  | { readonly kind: 'device'; readonly name: string }
  | { readonly kind: 'group'; readonly title: string; readonly count: number };

const SORTS = ['name', 'status', ...FIGURES, 'seen'] as const;
const STATUS_ORDER = { offline: 0, late: 1, online: 2 } as const;
const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** The rows of the table in their order. */
export function arrange(devices: readonly FleetDevice[], arrangement: Arrangement): Row[] {
  const chosen = devices.filter(selects(arrangement)).sort(order(arrangement.sort));
  const rows = chosen.map(({ device }): Row => ({ kind: 'device', name: device.device_name }));
  const { groupBy } = arrangement;
  if (!groupBy) return rows;
  const groups = grouped(chosen, groupBy);
  return [...groups]
    .sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : collator.compare(a, b)))
    .flatMap(([value, members]): Row[] => [
      { kind: 'group', title: value === '' ? `without ${groupBy}` : `${groupBy} ${value}`, count: members.length },
      ...members.map((name): Row => ({ kind: 'device', name })),
    ]);
}

function grouped(devices: readonly FleetDevice[], tag: string): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const { device } of devices) {
    const value = (Object.hasOwn(device.tags, tag) && device.tags[tag]) || '';
    const members = groups.get(value);
    if (members) members.push(device.device_name);
    else groups.set(value, [device.device_name]);
  }
  return groups;
}

function selects({ search, status, tags }: Arrangement): (device: FleetDevice) => boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return ({ device, status: is }) => {
    if (status.length > 0 && !status.includes(is)) return false;
    const pairs = Object.entries(device.tags).map(([name, value]) => `${name}=${value}`);
    if (!tags.every((tag) => pairs.includes(tag))) return false;
    if (words.length === 0) return true;
    const text = [device.device_name, device.display_name, device.notes, ...pairs].join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

function order(sort: string): (a: FleetDevice, b: FleetDevice) => number {
  const descending = sort.startsWith('-');
  const key = descending ? sort.slice(1) : sort;
  const byName = (a: FleetDevice, b: FleetDevice): number => collator.compare(nameOf(a), nameOf(b));
  if (key === 'name' || !SORTS.some((name) => name === key)) return (a, b) => (descending ? -1 : 1) * byName(a, b);
  const value = (device: FleetDevice): number | undefined =>
    key === 'status'
      ? STATUS_ORDER[device.status]
      : key === 'seen'
        ? device.lastSeen
        : device.figures[key as Figure]?.value;
  return (a, b) => {
    const [left, right] = [value(a), value(b)];
    // Those without the figure come last, whichever way.
    if (left === undefined || right === undefined) {
      return left === right ? byName(a, b) : left === undefined ? 1 : -1;
    }
    return (descending ? right - left : left - right) || byName(a, b);
  };
}

/** What people call a device. */
export const nameOf = ({ device }: FleetDevice): string => device.display_name ?? device.device_name;

/** The tags that devices have, each with its values. */
export function tagNames(devices: readonly FleetDevice[]): Map<string, string[]> {
  const names = new Map<string, Set<string>>();
  for (const { device } of devices) {
    for (const [name, value] of Object.entries(device.tags)) {
      names.set(name, (names.get(name) ?? new Set()).add(value));
    }
  }
  return new Map(
    [...names].sort(([a], [b]) => collator.compare(a, b)).map(([n, v]) => [n, [...v].sort(collator.compare)]),
  );
}
