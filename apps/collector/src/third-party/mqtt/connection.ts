import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import { reasonOf } from '@device-metrics/domain';
import type * as Mqtt from 'mqtt';
import type { IClientOptions, MqttClient } from 'mqtt';
import { textOfBytes } from '../../text-of-bytes.js';
import { networkProblem } from '../network-problem.js';
import { tlsOptions, type TlsTrust } from '../tls-trust.js';
import { LongMessages } from './long-messages.js';

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

/** Of one message; a longer one is left out. */
const MAX_BYTES = 2 ** 20;
const RECONNECT = 1_000;
const KEEPALIVE = 30;
/** From this code on the broker says no to a subscription. */
const REFUSED = 128;
export const NOT_YET = 'not connected yet';

export interface Listener {
  /**
   * Never rejects. The next message waits for it.
   *
   * @param retained whether the broker had kept the message from before the subscription.
   */
  onMessage(topic: string, payload: string, retained: boolean): Promise<void>;
  /** A message has been left out. */
  onLeftOut(topic: string, reason: string): void;
}

/** One connection to a broker that comes back by itself, with its subscriptions. */
export class Connection {
  /** Why there is no connection; empty while there is one. */
  problem = NOT_YET;
  /** Filters of topics that the broker lets nobody of this name read; the others are read. */
  refused: readonly string[] = [];
  private readonly client: MqttClient;
  private readonly waiting = new Set<() => void>();

  constructor(broker: Broker, filters: readonly string[], listener: Listener) {
    const options: IClientOptions = {
      clientId: `device-metrics-${Math.random().toString(36).slice(2, 12)}`,
      keepalive: KEEPALIVE,
      reconnectPeriod: RECONNECT,
      reconnectOnConnackError: true,
      connectTimeout: 10_000,
      manualConnect: true,
      ...tlsOptions(broker.trust),
      ...(broker.username !== undefined && { username: broker.username }),
      ...(broker.password !== undefined && { password: broker.password }),
    };
    this.client = mqtt().connect(broker.url, options);
    this.client.on('error', (error) => this.fail(networkProblem(error)));
    this.client.on('close', () => this.fail(this.problem || 'the broker has cut the connection'));
    this.client.on('connect', () => void this.subscribe(filters));
    this.client.handleMessage = ({ topic, payload, retain }, done) =>
      void listener.onMessage(topic, textOfBytes(Buffer.from(payload)), retain).then(() => done());
    withoutLongMessages(this.client, (topic) => listener.onLeftOut(topic, `is longer than ${MAX_BYTES} bytes`));
    this.client.connect();
    // One that is still to be connected by hand would come back after its end.
    this.client.options.manualConnect = false;
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
}

/** The client pipes its socket right into its parser, and has no other place in between. */
function withoutLongMessages(client: MqttClient, onLong: (topic: string) => void): void {
  const open = client as unknown as { streamBuilder: (client: MqttClient) => Duplex };
  const { streamBuilder } = open;
  open.streamBuilder = (of) => {
    const socket = streamBuilder(of);
    const pipe = socket.pipe.bind(socket);
    socket.pipe = (parser) =>
      pipe(new LongMessages(MAX_BYTES, onLong).on('error', (e) => socket.destroy(e))).pipe(parser);
    return socket;
  };
}
