import { labelsKey, reasonOf, type Reading } from '@device-metrics/domain';
import type { Parts, Source } from '../../run/source.js';
import { Connection, NOT_YET, type Broker } from './connection.js';
import { isOnline, messageReadings, type Topic } from './message.js';
import type { TopicPattern } from './topic.js';

/** Series that wait for the next run; beyond it new ones are left out, and said so. */
const MOST_SERIES = 10_000;
const REFUSED = 'the broker does not let this user read it';
/** After a connection, for what the broker has retained, ms. */
const RETAINED = 300;

export interface Subscriptions {
  readonly topics: readonly Topic[];
  /** Where devices say that they are there; their last will says that they are not. */
  readonly online: TopicPattern | undefined;
}

/**
 * Listens all the time and gives, at each run, the last value of every series that has come since the run before. A device
 * that its last will marks as offline has `device.online` 0 at each run until it is back.
 */
export class MqttSource implements Source {
  private connection: Connection | undefined;
  private readonly fresh = new Map<string, Reading>();
  /** By device; empty for the device of the configuration. */
  private readonly online = new Map<string, boolean>();
  /** Topics of which a message was left out, each said once: a text that changes all the time would fill the log. */
  private readonly said = new Set<string>();
  /** Since the last run, with the reason. */
  private readonly leftOut = new Map<string, string>();

  constructor(
    readonly name: string,
    private readonly broker: Broker,
    private readonly subscriptions: Subscriptions,
    private readonly say: (message: string) => void,
  ) {}

  async read(signal: AbortSignal, parts: Parts): Promise<Reading[]> {
    const first = this.connection === undefined || this.connection.problem !== '';
    this.connection ??= this.connect();
    const { problem } = this.connection;
    if (first) {
      if (problem !== NOT_YET) throw new Error(`no connection to ${this.broker.url}: ${problem}`);
      await this.connection.ready(signal);
      if (this.connection.problem !== '')
        throw new Error(`no connection to ${this.broker.url}: ${this.connection.problem}`);
      await new Promise((resolve) => setTimeout(resolve, RETAINED));
    }
    for (const filter of this.connection.refused) this.leaveOut(filter, REFUSED);
    const readings = [...this.fresh.values(), ...this.onlineReadings()];
    this.fresh.clear();
    for (const [topic, reason] of this.leftOut) parts.leaveOut(topic, reason);
    this.leftOut.clear();
    return readings;
  }

  async close(): Promise<void> {
    await this.connection?.close();
  }

  private connect(): Connection {
    const { topics, online } = this.subscriptions;
    const filters = new Set([...topics.map(({ pattern }) => pattern.filter), ...(online ? [online.filter] : [])]);
    return new Connection(this.broker, [...filters], {
      onMessage: (topic, payload, retained) =>
        this.take(topic, payload, retained).catch((error: unknown) => this.leaveOut(topic, reasonOf(error))),
      onLeftOut: (topic, reason) => this.leaveOut(topic, reason),
    });
  }

  private leaveOut(topic: string, reason: string): void {
    if (this.leftOut.size < MOST_SERIES) this.leftOut.set(topic, reason);
    if (this.said.has(topic) || this.said.size >= MOST_SERIES) return;
    this.said.add(topic);
    this.say(`${this.name} leaves ${reason === REFUSED ? 'a topic' : 'a message'} out, ${topic}: ${reason}`);
  }

  private async take(topic: string, payload: string, retained: boolean): Promise<void> {
    const names = this.subscriptions.online?.match(topic);
    if (names) return this.takeOnline(names['device'] ?? '', payload);
    // An empty payload takes back what the broker has retained; it is no message.
    if (payload === '') return;
    for (const one of this.subscriptions.topics) {
      if (retained && !one.retained) continue;
      const leaveOut = (reason: string): void => this.leaveOut(topic, reason);
      // What does not fit one entry may fit the next.
      const readings = await messageReadings(one, topic, payload, leaveOut).catch((error: unknown) => {
        leaveOut(reasonOf(error));
        return undefined;
      });
      for (const reading of readings ?? []) this.keep(reading);
    }
  }

  /** A device whose availability is taken back, by an empty payload, is gone for good: there is nothing to say of it. */
  private takeOnline(device: string, payload: string): void {
    if (payload === '') this.online.delete(device);
    else if (this.online.has(device) || this.online.size < MOST_SERIES) this.online.set(device, isOnline(payload));
  }

  private keep(reading: Reading): void {
    const key = `${reading.deviceName ?? ''}\n${reading.metricName}\n${labelsKey(reading.labels ?? {})}`;
    if (!this.fresh.has(key) && this.fresh.size >= MOST_SERIES) {
      throw new Error(`more than ${MOST_SERIES} series came since the last run`);
    }
    this.fresh.set(key, reading);
  }

  private onlineReadings(): Reading[] {
    return [...this.online].map(([device, online]) => {
      return { ...(device !== '' && { deviceName: device }), metricName: 'device.online', value: online ? 1 : 0 };
    });
  }
}
