/**
 * A site to look at: PCs with the readings that a collector sends, ending now. Their values wander, repeatably: CPUs with
 * spikes, memory by state, disks that fill, temperatures that follow the CPU.
 */

/** What is in a fleet. */
const ROOMS = ['lab', 'office', 'workshop', 'server room'];
const OWNERS = ['optics', 'mechanics', 'it'];
const MODELS = ['pc', 'nas', 'pi'];

/** Repeatable randomness (mulberry32). */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const GIB = 1024 ** 3;

/** One PC, whose `readings(time)` are asked for in the order of time. */
export class FleetDevice {
  constructor(index) {
    const random = randomFrom(index + 1);
    this.random = random;
    const model = MODELS[index % MODELS.length];
    this.name = `${ROOMS[index % 4].split(' ')[0]}-${model}-${String(index + 1).padStart(3, '0')}`;
    this.tags = { room: ROOMS[index % 4], owner: OWNERS[index % 3] };
    this.displayName = index % 9 === 4 ? `Microscope PC ${index + 1}` : undefined;
    this.memory = [8, 16, 32, 64][index % 4] * GIB;
    this.base = 0.05 + random() * 0.35;
    this.cpu = this.base;
    this.used = 0.3 + random() * 0.4;
    this.disk = 0.2 + random() * 0.7;
    this.received = Math.floor(random() * 1e9);
    this.sent = Math.floor(random() * 1e8);
    this.spike = 0;
  }

  /** Series at a time: `[metric, labels, value]`. */
  readings(time) {
    const { random } = this;
    if (random() < 0.01) this.spike = 0.6;
    this.spike *= 0.8;
    const day = 0.15 * Math.max(0, Math.sin(((time / 3_600_000) % 24) * (Math.PI / 12) - Math.PI / 2));
    this.cpu += (this.base + day - this.cpu) * 0.2 + (random() - 0.5) * 0.06;
    const cpu = Math.min(1, Math.max(0.01, this.cpu + this.spike));
    this.used = Math.min(0.95, Math.max(0.15, this.used + (random() - 0.5) * 0.01));
    this.disk = Math.min(0.99, this.disk + 0.000_01);
    this.received += Math.floor(random() * 4e6 * (1 + cpu));
    this.sent += Math.floor(random() * 6e5 * (1 + cpu));
    const usage = { used: this.used, cached: 0.9 - this.used > 0 ? (0.9 - this.used) * 0.6 : 0, buffers: 0.02 };
    usage.free = Math.max(0, 1 - usage.used - usage.cached - usage.buffers);
    const state = (name) => ({ 'system.memory.state': name });
    const disk = {
      'system.device': '/dev/sda1',
      'system.filesystem.mountpoint': '/',
      'system.filesystem.type': 'ext4',
    };
    const port = (direction) => ({ 'network.interface.name': 'eth0', 'network.io.direction': direction });
    return [
      ['system.cpu.utilization', {}, round(cpu)],
      ...Object.entries(usage).flatMap(([name, share]) => [
        ['system.memory.utilization', state(name), round(share)],
        ['system.memory.usage', state(name), Math.round(share * this.memory)],
      ]),
      ['system.filesystem.utilization', disk, round(this.disk)],
      ['hw.temperature', { 'hw.id': 'cpu' }, Math.round((34 + cpu * 40 + random() * 2) * 10) / 10],
      ['system.network.io', port('receive'), this.received],
      ['system.network.io', port('transmit'), this.sent],
      ['system.uptime', {}, Math.round((time - Date.UTC(2026, 0, 1)) / 1000)],
    ];
  }
}

const round = (value) => Math.round(value * 10_000) / 10_000;

/**
 * Sends the readings of devices over a time, oldest first.
 *
 * @param {string} url of the api
 * @param {{ devices: FleetDevice[], start: number, end: number, interval: number, log?: (text: string) => void }} options
 *   times and interval in ms
 */
export async function sendFleet(url, { devices, start, end, interval }) {
  const perRun = Math.max(1, Math.floor(20_000 / (devices.length * 16)));
  for (let from = start; from < end; from += perRun * interval) {
    const runs = new Map();
    for (let time = from; time < Math.min(end, from + perRun * interval); time += interval) {
      for (const device of devices) {
        for (const [metric_name, labels, value] of device.readings(time)) {
          const key = `${device.name} ${metric_name} ${JSON.stringify(labels)}`;
          const run = runs.get(key) ?? { device_name: device.name, metric_name, labels, samples: [] };
          runs.set(key, run);
          run.samples.push([time, value]);
        }
      }
    }
    const metrics = [...runs.values()];
    for (let first = 0; first < metrics.length; first += 15_000) {
      await post(url, '/api/v1/aggregator/metrics/batch', { metrics: metrics.slice(first, first + 15_000) });
    }
  }
}

/** Gives the devices their display names and tags. */
export async function describeFleet(url, devices) {
  for (const { name, displayName, tags } of devices) {
    const body = JSON.stringify({ ...(displayName && { display_name: displayName }), tags });
    const path = `/api/v1/devices/${encodeURIComponent(name)}`;
    const response = await fetch(url + path, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body,
    });
    if (!response.ok) throw new Error(`PATCH ${path}: ${response.status} ${await response.text()}`);
  }
}

export async function post(url, path, body) {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = await response.text();
  if (!response.ok || !answer.includes('"rejected":[]')) {
    throw new Error(`POST ${path}: ${response.status} ${answer.slice(0, 300)}`);
  }
}
