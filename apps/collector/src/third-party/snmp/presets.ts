import type { ObjectMeasure, ObjectPlace, Objects, TableColumn } from './objects.js';

const IF_TABLE = '1.3.6.1.2.1.2.2.1';
const IF_X_TABLE = '1.3.6.1.2.1.31.1.1.1';
const UPS = '1.3.6.1.2.1.33.1';

const column = (place: string | readonly ObjectPlace[], measure: ObjectMeasure): TableColumn => ({
  places: placesOf(place),
  ...measure,
});
const placesOf = (place: string | readonly ObjectPlace[]): readonly ObjectPlace[] =>
  typeof place === 'string' ? [{ oid: place }] : place;
/** The counter of 64 bits, and for rows without it the one of 32. */
const wide = (column64: number, column32: number): ObjectPlace[] => [
  { oid: `${IF_X_TABLE}.${column64}` },
  { oid: `${IF_TABLE}.${column32}` },
];
const way = (direction: string, others = {}): { labels: Record<string, string> } => ({
  labels: { 'network.io.direction': direction, ...others },
});
const NAME = [`${IF_X_TABLE}.1`, `${IF_TABLE}.2`];

/** ifHighSpeed in Mbit/s, which is 0 for slower ones; ifSpeed in bit/s, which ends at 2³² − 1. */
const SPEED: readonly ObjectPlace[] = [
  { oid: `${IF_X_TABLE}.15`, scale: 125_000, none: [0] },
  { oid: `${IF_TABLE}.5`, scale: 0.125, none: [4_294_967_295] },
];

/** IF-MIB (RFC 2863). Counters of 64 bits where the device has them, row by row. */
const interfaces: Objects = {
  scalars: [],
  tables: [
    {
      optional: true,
      labels: { 'network.interface.name': NAME },
      columns: [
        column(wide(6, 10), { metric: 'system.network.io', ...way('receive') }),
        column(wide(10, 16), { metric: 'system.network.io', ...way('transmit') }),
        ...(['receive', 'transmit'] as const).flatMap((direction, out) =>
          ['unicast', 'multicast', 'broadcast'].map((cast, index) => {
            const hc = 7 + 4 * out + index;
            const place = cast === 'unicast' ? wide(hc, 11 + 6 * out) : `${IF_X_TABLE}.${hc}`;
            return column(place, { metric: 'system.network.packet.count', ...way(direction, { cast }) });
          }),
        ),
        column(`${IF_TABLE}.14`, { metric: 'system.network.errors', ...way('receive') }),
        column(`${IF_TABLE}.20`, { metric: 'system.network.errors', ...way('transmit') }),
        column(`${IF_TABLE}.13`, { metric: 'system.network.packet.dropped', ...way('receive') }),
        column(`${IF_TABLE}.19`, { metric: 'system.network.packet.dropped', ...way('transmit') }),
      ],
    },
    {
      optional: true,
      labels: { 'hw.id': NAME },
      columns: [
        column(SPEED, { metric: 'hw.network.bandwidth.limit', unit: 'By/s' }),
        column(`${IF_TABLE}.8`, { metric: 'hw.network.up', equals: 1 }),
      ],
    },
  ],
};

const part = (id: string): { labels: Record<string, string> } => ({ labels: { 'hw.id': id } });
/** For the metrics that need the type of the part: a UPS is a power supply, and so are its input and output. */
const typed = (id: string, type = 'power_supply'): { labels: Record<string, string> } => ({
  labels: { 'hw.id': id, 'hw.type': type },
});

/** UPS-MIB (RFC 1628). */
const ups: Objects = {
  scalars: [
    {
      places: [{ oid: `${UPS}.2.1.0` }],
      metric: 'hw.status',
      states: { 1: 'unknown', 2: 'ok', 3: 'low_battery', 4: 'depleted' },
      ...typed('battery', 'battery'),
    },
    { places: [{ oid: `${UPS}.2.2.0` }], metric: 'hw.ups.on_battery.time', unit: 's', ...part('ups') },
    {
      places: [{ oid: `${UPS}.2.3.0` }],
      metric: 'hw.battery.time_left',
      unit: 'min',
      labels: { 'hw.id': 'battery', 'hw.state': 'discharging', 'hw.battery.state': 'discharging' },
    },
    { places: [{ oid: `${UPS}.2.4.0` }], metric: 'hw.battery.charge', unit: '%', ...part('battery') },
    { places: [{ oid: `${UPS}.2.5.0` }], metric: 'hw.voltage', unit: 'V', scale: 0.1, ...part('battery') },
    { places: [{ oid: `${UPS}.2.6.0` }], metric: 'hw.current', unit: 'A', scale: 0.1, ...part('battery') },
    { places: [{ oid: `${UPS}.2.7.0` }], metric: 'hw.temperature', unit: 'Cel', ...part('battery') },
    {
      places: [{ oid: `${UPS}.4.1.0` }],
      metric: 'hw.status',
      states: { 1: 'other', 2: 'none', 3: 'ok', 4: 'bypass', 5: 'on_battery', 6: 'booster', 7: 'reducer' },
      ...typed('output'),
    },
    { places: [{ oid: `${UPS}.4.2.0` }], metric: 'hw.frequency', unit: 'Hz', scale: 0.1, ...part('output') },
    { places: [{ oid: `${UPS}.6.1.0` }], metric: 'hw.ups.alarms', unit: '{alarm}', ...part('ups') },
  ].map((scalar) => ({ ...scalar, optional: true })),
  tables: [
    {
      optional: true,
      labels: { line: 'index' },
      columns: [
        column(`${UPS}.3.3.1.2`, { metric: 'hw.frequency', unit: 'Hz', scale: 0.1, ...part('input') }),
        column(`${UPS}.3.3.1.3`, { metric: 'hw.voltage', unit: 'V', ...part('input') }),
        column(`${UPS}.3.3.1.4`, { metric: 'hw.current', unit: 'A', scale: 0.1, ...part('input') }),
        column(`${UPS}.3.3.1.5`, { metric: 'hw.power', unit: 'W', ...typed('input') }),
        column(`${UPS}.4.4.1.2`, { metric: 'hw.voltage', unit: 'V', ...part('output') }),
        column(`${UPS}.4.4.1.3`, { metric: 'hw.current', unit: 'A', scale: 0.1, ...part('output') }),
        column(`${UPS}.4.4.1.4`, { metric: 'hw.power', unit: 'W', ...typed('output') }),
        column(`${UPS}.4.4.1.5`, { metric: 'hw.ups.utilization', unit: '%', ...part('output') }),
      ],
    },
  ],
};

/**
 * How long the device has been up. snmpEngineTime counts seconds and never wraps, but on a PC only since its agent started;
 * hrSystemUptime is the system's, but wraps after 497 days: the larger is nearer. sysUpTime is the agent's, and counts where
 * the device has nothing else.
 */
const system: Objects = {
  scalars: [
    {
      metric: 'system.uptime',
      unit: 's',
      optional: true,
      largest: true,
      places: [{ oid: '1.3.6.1.6.3.10.2.1.3.0' }, { oid: '1.3.6.1.2.1.25.1.1.0', scale: 0.01 }],
      otherwise: { oid: '1.3.6.1.2.1.1.3.0', scale: 0.01 },
    },
  ],
  tables: [],
};

export const presets: Readonly<Record<string, Objects>> = { system, interfaces, ups };
