import { describe, expect, it } from '@jest/globals';
import { laptop, only, read } from '../../test/pc.js';
import { network } from './network.js';

describe('network', () => {
  it('is read from /proc/net/dev', async () => {
    const readings = await read(network, laptop);
    const eth0 = 'network.interface.name="eth0",network.io.direction';
    expect(readings.slice(0, 8)).toEqual([
      `system.network.io{${eth0}="receive"} 482825913`,
      `system.network.packet.count{${eth0}="receive"} 16481`,
      `system.network.errors{${eth0}="receive"} 1`,
      `system.network.packet.dropped{${eth0}="receive"} 2`,
      `system.network.io{${eth0}="transmit"} 1637167`,
      `system.network.packet.count{${eth0}="transmit"} 11217`,
      `system.network.errors{${eth0}="transmit"} 3`,
      `system.network.packet.dropped{${eth0}="transmit"} 4`,
    ]);
    const names = only(readings, 'system.network.io').map((line) => line.split('"')[1]);
    expect(names).toEqual(['eth0', 'eth0', 'wlan0', 'wlan0']);
    const others = await read(network, laptop, { loopback: true, exclude: ['w*'] });
    expect(only(others, 'system.network.errors')).toHaveLength(6);
  });

  it('outside Linux leaves out what the platform does not tell', async () => {
    const stats = ['lo0', 'en0'].map((iface) => {
      return { iface, rx_bytes: 1, rx_errors: 2, rx_dropped: null, tx_bytes: 3, tx_errors: 4, tx_dropped: null };
    });
    const si = { networkStats: () => Promise.resolve(stats) };
    const mac = { ...laptop, platform: 'darwin', loopbacks: () => ['lo0'], si } as unknown as typeof laptop;
    const en0 = 'network.interface.name="en0",network.io.direction';
    expect(await read(network, mac)).toEqual([
      `system.network.io{${en0}="receive"} 1`,
      `system.network.errors{${en0}="receive"} 2`,
      `system.network.io{${en0}="transmit"} 3`,
      `system.network.errors{${en0}="transmit"} 4`,
    ]);
  });
});
