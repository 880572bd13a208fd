import { deviceNameRule } from '@device-metrics/domain';
import { HttpError } from '../http.js';
import type { ApiConnection } from './api-connection.js';
import { aboutThisCollector } from './about.js';
import { unpack } from './spool.js';

/** More names than that are taken from nobody. */
const MOST_DEVICES = 10_000;

interface Log {
  log(message: string): void;
  warn(message: string): void;
}

interface Refused {
  readonly device_name: string;
  readonly reason: string;
}

/**
 * Tells the api which devices a collector that has joined reads, before it sends their samples: after the start, after a
 * change of its configuration, after it has joined again, and when a batch has samples of one that no configuration names, as those
 * whose name is in an MQTT topic.
 */
export class Announcer {
  private told = '';
  /** Devices that batches have had samples of. */
  private readonly sampled = new Set<string>();
  private saidState = '';

  /** @param devices names of all devices that the configuration has now. */
  constructor(
    private readonly connection: ApiConnection,
    private readonly devices: () => readonly string[],
    private readonly log: Log,
  ) {}

  /**
   * @param payload the batch that is sent next.
   * @throws HttpError where the api could not be told.
   */
  async announce(payload: Buffer, signal: AbortSignal): Promise<void> {
    if (!this.connection.hasJoined) return;
    for (const device of devicesOf(payload)) if (this.sampled.size < MOST_DEVICES) this.sampled.add(device);
    const devices = [...new Set([...this.devices(), ...this.sampled])].slice(0, MOST_DEVICES).sort();
    const news = JSON.stringify([this.connection.token, devices]);
    if (news === this.told) return;
    const { status, body } = await this.connection.request({
      method: 'PUT',
      path: '/api/v1/collectors/self',
      data: Buffer.from(JSON.stringify({ devices, ...aboutThisCollector() })),
      signal,
    });
    // A token that works no more: what is sent next gets the same answer, which says why.
    if (status === 401 || status === 403) return;
    if (status !== 200) throw new HttpError(`${status} to what this collector reads`);
    this.say(body);
    // While it is in conflict nothing belongs to it: it tells again.
    this.told = this.saidState === 'conflict' ? '' : news;
  }

  private say(body: string): void {
    const {
      device_name,
      state,
      refused = [],
    } = JSON.parse(body) as {
      device_name?: string;
      state?: string;
      refused?: Refused[];
    };
    const isNew = `${device_name} ${state}` !== `${this.saidName} ${this.saidState}`;
    if (isNew && state === 'active') this.log.log(`This collector has joined as ${device_name}`);
    this.saidName = device_name ?? '';
    this.saidState = state ?? '';
    if (state !== 'active') return;
    for (const { device_name: device, reason } of refused) {
      this.log.warn(`The api will not take samples of ${device}: it ${reason}`);
    }
  }

  private saidName = '';
}

/** The devices that a batch has samples of. What the api says of a batch that cannot be read, it says when it gets it. */
function devicesOf(payload: Buffer): string[] {
  try {
    const names = new Set(unpack(payload).map(({ device_name: name }) => name));
    return [...names].filter((name) => deviceNameRule(name) === undefined);
  } catch {
    return [];
  }
}
