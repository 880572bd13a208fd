import type { Column, Measure, Objects } from './objects.js';

const IF_TABLE = '1.3.6.1.2.1.2.2.1';
const IF_X_TABLE = '1.3.6.1.2.1.31.1.1.1';
const UPS = '1.3.6.1.2.1.33.1';

const column = (oids: string | readonly string[], measure: Measure): Column => ({ oids: [oids].flat(), ...measure });
const way = (direction: string, others = {}): { labels: Record<string, string> } => ({
  labels: { 'network.io.direction': direction, ...others },
});
const NAME = [`${IF_X_TABLE}.1`, `${IF_TABLE}.2`];

/** IF-MIB (RFC 2863). Counters of 64 bits where the device has them. */
const interfaces: Objects = {
  scalars: [],
  tables: [
    {
      optional: true,
      labels: { 'network.interface.name': NAME },
      columns: [
        column([`${IF_X_TABLE}.6`, `${IF_TABLE}.10`], { metric: 'system.network.io', ...way('receive') }),
        column([`${IF_X_TABLE}.10`, `${IF_TABLE}.16`], { metric: 'system.network.io', ...way('transmit') }),
        ...(['receive', 'transmit'] as const).flatMap((direction, out) =>
          ['unicast', 'multicast', 'broadcast'].map((cast, index) => {
            const oids = [`${IF_X_TABLE}.${7 + 4 * out + index}`];
            if (cast === 'unicast') oids.push(`${IF_TABLE}.${11 + 6 * out}`);
            return column(oids, { metric: 'system.network.packet.count', ...way(direction, { cast }) });
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
        column(`${IF_X_TABLE}.15`, { metric: 'hw.network.bandwidth.limit', unit: 'By/s', scale: 125_000 }),
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
      oid: `${UPS}.2.1.0`,
      metric: 'hw.status',
      states: { 1: 'unknown', 2: 'ok', 3: 'low', 4: 'depleted' },
      ...typed('battery', 'battery'),
    },
    { oid: `${UPS}.2.2.0`, metric: 'hw.ups.on_battery.time', unit: 's', ...part('ups') },
    {
      oid: `${UPS}.2.3.0`,
      metric: 'hw.battery.time_left',
      unit: 'min',
      labels: { 'hw.id': 'battery', 'hw.state': 'discharging', 'hw.battery.state': 'discharging' },
    },
    { oid: `${UPS}.2.4.0`, metric: 'hw.battery.charge', unit: '%', ...part('battery') },
    { oid: `${UPS}.2.5.0`, metric: 'hw.voltage', unit: 'V', scale: 0.1, ...part('battery') },
    { oid: `${UPS}.2.6.0`, metric: 'hw.current', unit: 'A', scale: 0.1, ...part('battery') },
    { oid: `${UPS}.2.7.0`, metric: 'hw.temperature', unit: 'Cel', ...part('battery') },
    {
      oid: `${UPS}.4.1.0`,
      metric: 'hw.status',
      states: { 1: 'other', 2: 'none', 3: 'ok', 4: 'bypass', 5: 'battery', 6: 'booster', 7: 'reducer' },
      ...typed('output'),
    },
    { oid: `${UPS}.4.2.0`, metric: 'hw.frequency', unit: 'Hz', scale: 0.1, ...part('output') },
    { oid: `${UPS}.6.1.0`, metric: 'hw.ups.alarms', unit: '{alarm}', ...part('ups') },
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

/** SNMPv2-MIB: how long the device has been up. */
const system: Objects = {
  scalars: [{ oid: '1.3.6.1.2.1.1.3.0', metric: 'system.uptime', unit: 's', scale: 0.01, optional: true }],
  tables: [],
};

export const presets: Readonly<Record<string, Objects>> = { system, interfaces, ups };
