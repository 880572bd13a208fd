import type { Reading } from '@device-metrics/domain';
import { patternsOf, type PcGroup } from './group.js';

export const network: PcGroup = {
  name: 'network',
  metrics: [
    'system.network.io',
    'system.network.packet.count',
    'system.network.errors',
    'system.network.packet.dropped',
  ],
  startsProgram: 'outside Linux',
  configure: (keys) => {
    const loopback = keys.flag('loopback', false);
    // The ends of container networks come and go with a new name each time.
    const isExcluded = patternsOf(keys, 'exclude', ['veth*']);
    return (machine) => async () => {
      if (machine.platform === 'linux') {
        const interfaces = parseNetDev(await machine.read('proc/net/dev'));
        return networkReadings(interfaces.filter(({ name }) => (loopback || name !== 'lo') && !isExcluded(name)));
      }
      const internal = new Set(loopback ? [] : machine.loopbacks());
      const stats = (await machine.si.networkStats('*')).filter(({ iface }) => !internal.has(iface));
      return networkReadings(
        stats.map(({ iface, rx_bytes, rx_errors, rx_dropped, tx_bytes, tx_errors, tx_dropped }) => ({
          name: iface,
          // macOS counts dropped packets one way only, and systeminformation tells that number for both.
          receive: { bytes: rx_bytes, errors: rx_errors, dropped: machine.platform === 'darwin' ? null : rx_dropped },
          transmit: { bytes: tx_bytes, errors: tx_errors, dropped: tx_dropped },
        })),
      ).filter(({ labels }) => !isExcluded(labels?.['network.interface.name'] ?? ''));
    };
  },
};

/** Counts since the start; null and undefined where the platform does not tell. */
interface Traffic {
  readonly bytes: number | null;
  readonly packets?: number;
  readonly errors: number | null;
  readonly dropped: number | null;
}

interface Interface {
  readonly name: string;
  readonly receive: Traffic;
  readonly transmit: Traffic;
}

/** The interfaces of /proc/net/dev. */
export function parseNetDev(text: string): Interface[] {
  return [...text.matchAll(/^ *([^\s:]+): *(.+)$/gm)].map(([, name = '', line = '']) => {
    const counts = line.trim().split(/ +/).map(Number);
    const traffic = (first: number): Traffic => {
      const [bytes = 0, packets = 0, errors = 0, dropped = 0] = counts.slice(first);
      return { bytes, packets, errors, dropped };
    };
    return { name, receive: traffic(0), transmit: traffic(8) };
  });
}

const METRICS = [
  ['system.network.io', 'bytes'],
  ['system.network.packet.count', 'packets'],
  ['system.network.errors', 'errors'],
  ['system.network.packet.dropped', 'dropped'],
] as const;

export function networkReadings(interfaces: readonly Interface[]): Reading[] {
  return interfaces.flatMap(({ name, receive, transmit }) =>
    Object.entries({ receive, transmit }).flatMap(([direction, traffic]) =>
      METRICS.flatMap(([metricName, field]) => {
        const value = traffic[field] ?? null;
        return value === null
          ? []
          : [{ metricName, labels: { 'network.interface.name': name, 'network.io.direction': direction }, value }];
      }),
    ),
  );
}
