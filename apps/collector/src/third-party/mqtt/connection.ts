import { createRequire } from 'node:module';
import { reasonOf } from '@device-metrics/domain';
import type * as Mqtt from 'mqtt';
import type { IClientOptions, MqttClient } from 'mqtt';
import { textOfBytes } from '../../text-of-bytes.js';
import { networkProblem } from '../network-problem.js';
import { tlsOptions, type TlsTrust } from '../tls-trust.js';

const load = createRequire(import.meta.url);
/** Loaded with the first connection: it takes 20 MiB, and most collectors know no broker. */
const mqtt = (): typeof Mqtt => load('mqtt') as typeof Mqtt;

export interface Broker {
  /** Without user and password. */
  readonly url: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly trust: TlsTrust;
}

/** Of one message; a longer one ends the connection. */
const MAX_BYTES = 2 ** 20;
const RECONNECT = 1_000;
const KEEPALIVE = 30;
/** From this code on the broker says no to a subscription. */
const REFUSED = 128;
export const NOT_YET = 'not connected yet';

/** @param retained whether the broker had kept the message from before the subscription. */
export type OnMessage = (topic: string, payload: string, retained: boolean) => void;

/** One connection to a broker that comes back by itself, with its subscriptions. */
export class Connection {
  /** Why there is no connection; empty while there is one. */
  problem = NOT_YET;
  /** Filters of topics that the broker lets nobody of this name read; the others are read. */
  refused: readonly string[] = [];
  private readonly client: MqttClient;
  private readonly waiting = new Set<() => void>();

  constructor(broker: Broker, filters: readonly string[], onMessage: OnMessage) {
    const options: IClientOptions = {
      clientId: `device-metrics-${Math.random().toString(36).slice(2, 12)}`,
      keepalive: KEEPALIVE,
      reconnectPeriod: RECONNECT,
      reconnectOnConnackError: true,
      connectTimeout: 10_000,
      ...tlsOptions(broker.trust),
      ...(broker.username !== undefined && { username: broker.username }),
      ...(broker.password !== undefined && { password: broker.password }),
    };
    this.client = mqtt().connect(broker.url, options);
    this.client.on('error', (error) => this.fail(networkProblem(error)));
    this.client.on('close', () => this.fail(this.problem || 'the broker has cut the connection'));
    this.client.on('connect', () => void this.subscribe(filters));
    this.client.on('message', (topic, payload, { retain }) => onMessage(topic, textOfBytes(payload), retain));
    this.guard();
  }

  /** Resolves when the broker has taken the subscriptions, when it is clear why not, or when the signal aborts. */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.problem === '' || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.waiting.add(resolve);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  async close(): Promise<void> {
    await this.client.endAsync(true);
  }

  /** Each topic by itself: the broker may refuse one and give the others. */
  private async subscribe(filters: readonly string[]): Promise<void> {
    const refused: string[] = [];
    let problem = '';
    const subscribe = async (filter: string): Promise<void> => {
      try {
        const granted = await this.client.subscribeAsync(filter);
        if (granted.some(({ qos }) => qos >= REFUSED)) refused.push(filter);
      } catch (error) {
        const { code } = error as { code?: unknown };
        if ((typeof code === 'number' && code >= REFUSED) || /^Subscribe error/.test(reasonOf(error)))
          refused.push(filter);
        else problem = networkProblem(error as Error);
      }
    };
    await Promise.all(filters.map(subscribe));
    this.refused = refused;
    if (refused.length === filters.length) problem ||= `the broker refuses ${refused.join(', ')}`;
    this.settle(problem);
  }

  private fail(reason: string): void {
    this.settle(reason === NOT_YET ? 'the broker has cut the connection' : reason);
  }

  private settle(problem: string): void {
    this.problem = problem;
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  /** Ends a connection whose message is longer than is ever needed: the client would collect all of it. */
  private guard(): void {
    let pending = 0;
    const watched = new WeakSet<object>();
    const watch = (): void => {
      const { stream } = this.client;
      if (watched.has(stream)) return;
      watched.add(stream);
      pending = 0;
      stream.on('data', (chunk: Buffer) => {
        pending += chunk.length;
        if (pending <= MAX_BYTES + chunk.length) return;
        this.problem = `a message is longer than ${MAX_BYTES} bytes`;
        stream.destroy();
      });
    };
    watch();
    this.client.on('reconnect', watch);
    this.client.on('packetreceive', () => (pending = 0));
  }
}
