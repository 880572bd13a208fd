import { randomBytes } from 'node:crypto';
import { MINUTE, DAY, reasonOf } from '@device-metrics/domain';
import type { AlertStep, AlertStore, Store, StoredAlertMessage, StoredDevice } from '@device-metrics/storage';
import type { DeviceRhythms } from '../devices/device-rhythms.js';
import type { Arrivals } from '../live/arrivals.js';
import type { AlertsFile } from './alerts-file.js';
import type { AlertState } from './evaluation/alert-state.js';
import { silenceOf } from './evaluation/device-looks.js';
import { Evaluation, type Moment, type ServerNumbers } from './evaluation/evaluation.js';
import { Changes, States } from './evaluation/states.js';
import { ChannelError, type ReceiversNow } from './notify/channel.js';
import { readChannel, settingsOf, type Channel, type Secrets } from './notify/read-channel.js';
import { MistakesError, type Mistake } from './reader.js';
import { Registry } from './registry.js';
import { DEFAULT_RULES } from './rules/default-rules.js';
import { readRule } from './rules/read-rule.js';
import type { Rule } from './rules/rule.js';
import { alertChart } from './telling/chart.js';
import { compose } from './telling/compose.js';
import {
  DEFAULT_ROUTE,
  readDependency,
  readMaintenance,
  readRoute,
  readSilence,
  type Dependency,
  type Maintenance,
  type Route,
  type Silence,
} from './telling/config.js';
import { LinkSigner } from './telling/links.js';
import { Outbox, type Outcome } from './telling/outbox.js';
import { channelOf } from './telling/queues.js';
import { unknownChannels } from './telling/unknown-channels.js';
import { tell, type Notice, type TellingRules } from './telling/tell.js';

export interface Clock {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** By a clock that nobody sets, ms. */
  readonly elapsed: () => number;
}

export interface AlertsOptions {
  readonly store: Store;
  readonly alertStore: AlertStore;
  /** Signs the links of messages. */
  readonly linkKey: Buffer;
  readonly rhythms: DeviceRhythms;
  readonly arrivals: Arrivals;
  readonly server: ServerNumbers;
  readonly clock: Clock;
  readonly file: AlertsFile;
  readonly secrets: Secrets;
  readonly publicUrl: string | undefined;
  readonly timeZone: string;
  /** How long history is kept, ms; 0: for ever. */
  readonly retention: number;
  readonly onProblem: (problem: string) => void;
  /** Hears what becomes of messages. */
  readonly onOutcome?: (channel: string, outcome: Outcome, messages: number) => void;
  /** Messages that wait in a channel at the most; left out: as the outbox has it. */
  readonly mostWaiting?: number;
}

/** Looks at the rules, keeps the states of what they watch, and tells people of them. */
export class Alerts {
  readonly rules: Registry<Rule>;
  readonly channels: Registry<Channel>;
  readonly routes: Registry<Route>;
  readonly silences: Registry<Silence>;
  readonly maintenance: Registry<Maintenance>;
  readonly dependencies: Registry<Dependency>;
  readonly signer: LinkSigner;
  /** When the rules were looked at last, by the clock that nobody sets; undefined before the first time. */
  lookedAt: number | undefined;

  private readonly outbox: Outbox;
  private readonly evaluation: Evaluation;
  /** By the queue. */
  private readonly failures = new Map<string, string>();
  /** Messages of each queue that were given up since one was sent. */
  private readonly givenUp = new Map<string, number>();
  private devices = new Map<string, StoredDevice>();
  private queue: Promise<unknown> = Promise.resolve();
  private savedAt = -Infinity;
  /** Whether this process looked after alerts when it was asked last; undefined before that. */
  private wasMine: boolean | undefined;
  private forgotAt = -Infinity;

  static async open(options: AlertsOptions): Promise<Alerts> {
    const { alertStore, clock } = options;
    const alerts = new Alerts(options, await States.load(alertStore, clock.now()), await lookedUntil(alertStore));
    await alerts.reloadRegistries();
    alerts.checkRoutes();
    return alerts;
  }

  private constructor(
    private readonly options: AlertsOptions,
    private readonly states: States,
    until: number | undefined,
  ) {
    const { alertStore, clock, file, onProblem, store, rhythms, arrivals, server } = options;
    const { now } = clock;
    this.rules = new Registry('rule', readRule, alertStore, { defaults: DEFAULT_RULES, file: file.rules }, onProblem);
    this.channels = new Registry('channel', readChannel, alertStore, { file: file.channels }, onProblem);
    this.routes = new Registry('route', readRoute, alertStore, { file: file.routes }, onProblem);
    this.silences = new Registry('silence', (one) => readSilence(one, now()), alertStore, {}, onProblem);
    const readWindow = (one: unknown): Maintenance => readMaintenance(one, now());
    this.maintenance = new Registry('maintenance', readWindow, alertStore, { file: file.maintenance }, onProblem);
    this.dependencies = new Registry('dependency', readDependency, alertStore, { file: file.dependencies }, onProblem);
    this.signer = new LinkSigner(options.linkKey);
    const start = { now: now(), elapsed: clock.elapsed() };
    this.evaluation = new Evaluation(store, this.rules, rhythms, arrivals, server, start, until);
    const failed = (queue: string, reason: string): void => {
      if (this.failures.get(queue) !== reason) onProblem(`channel ${channelOf(queue)}: ${reason}`);
      this.failures.set(queue, reason);
    };
    const listener = { onFailure: failed, onOutcome: this.noteOutcome.bind(this) };
    const isMine = (): Promise<boolean> => store.holds('alerts').catch(() => false);
    this.outbox = new Outbox(alertStore, this.send.bind(this), now, listener, options.mostWaiting, isMine);
  }

  registries(): Registry<{ readonly name: string }>[] {
    return [this.rules, this.channels, this.routes, this.silences, this.maintenance, this.dependencies];
  }

  /** What a route names that is no channel. */
  unknownChannelsOf(route: Route): Mistake[] {
    return unknownChannels(route, this.channelNames());
  }

  channelNames(): string[] {
    return this.channels.list().map(({ name }) => name);
  }

  /** @throws MistakesError where a route of the file names what is no channel; of the database, that is said. */
  private checkRoutes(): void {
    const ofFile: Mistake[] = [];
    for (const { name, origin, value } of this.routes.list()) {
      const index = this.options.file.routes.findIndex((one) => one['name'] === name);
      for (const { field, reason } of this.unknownChannelsOf(value)) {
        if (origin === 'file') ofFile.push({ field: `routes[${index}].${field}`, reason });
        else this.options.onProblem(`route ${JSON.stringify(name)}: ${field} ${reason}`);
      }
    }
    if (ofFile.length > 0) throw new MistakesError(ofFile);
  }

  /** Everything that is not normal. */
  current(): AlertState[] {
    return [...this.states.all()];
  }

  /** Why the last message of a channel, or for a receiver of it, was not taken; undefined where it was. */
  failureOf(channel: string): string | undefined {
    const ofChannel = <T>(known: ReadonlyMap<string, T>): T[] =>
      [...known].flatMap(([queue, one]) => (channelOf(queue) === channel ? [one] : []));
    const said = [...new Set(ofChannel(this.failures))];
    const givenUp = ofChannel(this.givenUp).reduce((sum, messages) => sum + messages, 0);
    if (givenUp > 0) said.push(`${givenUp} ${givenUp === 1 ? 'message was' : 'messages were'} given up`);
    return said.length === 0 ? undefined : said.join('; ');
  }

  /** That messages are given up goes to the log once, until one is sent again. */
  private noteOutcome(queue: string, outcome: Outcome, messages: number): void {
    const channel = channelOf(queue);
    this.options.onOutcome?.(channel, outcome, messages);
    if (outcome === 'sent') this.givenUp.delete(queue);
    if (outcome !== 'given_up') return;
    if (!this.givenUp.has(queue))
      this.options.onProblem(`channel ${channel}: messages that could not be delivered are given up, the oldest first`);
    this.givenUp.set(queue, (this.givenUp.get(queue) ?? 0) + messages);
  }

  /** Whether this process looks after alerts now: of several that share a database one does. */
  async isMine(): Promise<boolean> {
    const { store } = this.options;
    const holds = await store.holds('alerts');
    if (store.hearOthers) await this.inTurn(() => (holds && this.wasMine === false ? this.begin() : this.reload()));
    this.wasMine = holds;
    return holds;
  }

  /** Takes in what other processes have seen, and what people have told them. */
  private async reload(): Promise<void> {
    await this.states.reload(this.options.alertStore);
    await this.reloadRegistries();
  }

  private async reloadRegistries(): Promise<void> {
    const registries = this.registries();
    const documents = await this.options.alertStore.documentsOf(registries.map(({ kind }) => kind));
    for (const registry of registries) registry.take(documents.get(registry.kind) ?? []);
  }

  /** Goes on where the process that looked until now has stopped. */
  private async begin(): Promise<void> {
    const { alertStore, clock } = this.options;
    await this.states.begin(alertStore, clock.now());
    await this.reloadRegistries();
    this.evaluation.begin(await lookedUntil(alertStore));
  }

  /** Looks at all rules whose time has come, and says what is to be said. */
  async look(): Promise<void> {
    const { clock, alertStore } = this.options;
    await this.exclusively(async (changes) => {
      const moment: Moment = { now: clock.now(), elapsed: clock.elapsed() };
      const devices = await this.options.store.devices();
      this.devices = new Map(devices.map((device) => [device.name, device]));
      await this.evaluation.look(changes, moment, devices, this.states.ruleNames(), (rule) => this.states.ofRule(rule));
      if (this.options.retention > 0 && moment.elapsed - this.forgotAt >= DAY) {
        await alertStore.forget(this.options.store.trustedNow() - this.options.retention);
        this.forgotAt = moment.elapsed;
      }
      this.lookedAt = moment.elapsed;
      return moment;
    });
  }

  /** Sends what waits. */
  async sendWaiting(): Promise<void> {
    await this.outbox.run();
  }

  /** Marks open episodes as known to somebody: they are not repeated. Gives those that there are. */
  async acknowledge(ids: ReadonlySet<string>, by: string, comment: string): Promise<AlertState[]> {
    const at = this.options.clock.now();
    const found: AlertState[] = [];
    await this.exclusively(async (changes) => {
      for (const state of this.states.all()) {
        const { episode } = state;
        if (!episode || episode.ended !== null || !ids.has(episode.id)) continue;
        const acknowledged = { at, by, comment };
        const after = { ...state, episode: { ...episode, acknowledged } };
        changes.put(after);
        changes.note(at, after, {
          from: state.phase,
          to: state.phase,
          subject: state.subject,
          severity: episode.severity,
          value: state.value,
          level: episode.level,
          episode: episode.id,
          note: `acknowledged by ${by}${comment && `: ${comment}`}`,
        });
        found.push(after);
      }
    });
    return found;
  }

  /** What a message tells of that is still open, by its key. */
  async openOf(key: string): Promise<AlertState[]> {
    const message = await this.options.alertStore.message(key);
    const ids = new Set((message?.body as Notice | undefined)?.firing.map(({ id }) => id));
    return this.current().filter(({ episode }) => episode?.ended === null && ids.has(episode.id));
  }

  /** Sends a message to a channel at once. @throws ChannelError when it is not taken. */
  async test(channel: Channel): Promise<void> {
    const at = this.options.clock.now();
    const item = {
      id: 'test',
      rule: 'Test',
      severity: 'info' as const,
      subject: { device: '' },
      value: null,
      level: null,
      began: at,
      ended: null,
    };
    const notice: Notice = { kind: 'test', route: 'test', group: 'test', at, firing: [item], ended: [] };
    await this.sendTo(channel, notice, randomBytes(16).toString('base64url'));
    this.failures.delete(channel.name);
  }

  /** The channels that there are, or the one route that holds while nobody has made any. */
  routesNow(): Route[] {
    const routes = this.routes.values();
    return routes.length > 0 ? routes : [DEFAULT_ROUTE(this.channelNames())];
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    await this.queue.catch(() => undefined);
    await this.outbox.stop();
  }

  /** One after the other, with what the store has of the states; what comes of it is said and stored in one step. */
  private exclusively(act: (changes: Changes) => Promise<Moment | void>): Promise<void> {
    return this.inTurn(async () => {
      const { clock, alertStore, store } = this.options;
      // Another process may have taken in an acknowledgement meanwhile.
      if (store.hearOthers) await this.states.reload(alertStore);
      const changes = new Changes(this.states);
      const looked = await act(changes);
      const now = clock.now();
      const messages = await tell(changes, await this.tellingRules(), now);
      const step = { ...changes.step(now), messages };
      // What has been looked at is not looked at again after a restart: so it goes with what came of it.
      const isNews = step.states.length + step.gone.length + step.changes.length + messages.length > 0;
      const isDue = isNews || clock.elapsed() - this.savedAt >= MINUTE;
      const documents: AlertStep['documents'] =
        looked && isDue ? [{ kind: 'key', name: 'looked', body: { until: looked.now }, changedAt: now }] : [];
      await alertStore.commit({ ...step, documents }).catch(async (error: unknown) => {
        // Of very many changes some may be there.
        await this.states.reload(alertStore).catch(() => undefined);
        throw error;
      });
      if (looked && isDue) this.savedAt = clock.elapsed();
      changes.keep(now);
    });
  }

  /** One after the other. */
  private inTurn(act: () => Promise<void>): Promise<void> {
    const work = this.queue.catch(() => undefined).then(act);
    this.queue = work;
    return work;
  }

  private async tellingRules(): Promise<TellingRules> {
    const dependencies = this.dependencies.values();
    const away = new Set<string>();
    for (const { on } of dependencies) if (await this.isAway(on)) away.add(on);
    return {
      routes: this.routesNow(),
      channels: new Set(this.channelNames()),
      silences: this.silences.values(),
      maintenance: this.maintenance.values(),
      dependencies,
      tags: (device) => this.devices.get(device)?.tags ?? {},
      isAway: (device) => away.has(device),
    };
  }

  private async isAway(name: string): Promise<boolean> {
    const { clock, rhythms, arrivals } = this.options;
    const device = this.devices.get(name);
    if (!device) return false;
    const moment = { now: clock.now(), elapsed: clock.elapsed(), uptime: Infinity };
    const silence = silenceOf(device, await rhythms.of(device), arrivals.of(name), moment);
    return silence !== undefined && silence.silent >= silence.late;
  }

  private async send({ channel: queue, body, key }: StoredAlertMessage, without: readonly string[]): Promise<void> {
    const channel = this.channels.get(channelOf(queue))?.value;
    if (!channel) throw new ChannelError('there is no such channel any more', true);
    const notice = body as Notice;
    await this.sendTo(channel, notice, notice.only?.key ?? key, { only: notice.only?.receiver, without });
    this.failures.delete(queue);
  }

  private async sendTo(channel: Channel, notice: Notice, key: string, receivers?: ReceiversNow): Promise<void> {
    const { publicUrl, timeZone, store, secrets, onProblem } = this.options;
    const message = await compose(notice, key, {
      rule: (name) => this.rules.get(name)?.value,
      nameOf: (device) => this.devices.get(device)?.displayName ?? device,
      tags: (device) => this.devices.get(device)?.tags ?? {},
      publicUrl,
      signer: this.signer,
      timeZone,
      // A chart that cannot be made never costs the message.
      chart: (item, range) =>
        alertChart(store, item, range, timeZone).catch((error: unknown) => {
          onProblem(`chart of ${item.rule}: ${reasonOf(error)}`);
          return undefined;
        }),
    });
    await channel.type.send({ ...message, receivers }, await settingsOf(channel, secrets));
  }
}

/** Up to when the rules have been looked at by any process, Unix ms. */
async function lookedUntil(store: AlertStore): Promise<number | undefined> {
  return ((await store.document('key', 'looked'))?.body as { until: number } | undefined)?.until;
}
