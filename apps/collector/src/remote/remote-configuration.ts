import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { reasonOf } from '@device-metrics/domain';
import { SettingsError } from '@device-metrics/settings';
import { detailOf } from '../upload/detail.js';
import type { Config } from '../config/config.js';
import { readKeptRemote, type KeptRemote, type Remote, type RemoteText } from '../config/remote.js';
import type { FirstRun } from '../run/collector.js';
import type { Log } from '../run/log.js';
import type { ApiConnection } from '../upload/api-connection.js';

export interface RemoteConfigurationOptions {
  /** How often the api is asked, ms. */
  readonly interval: number;
  /** The configuration of this PC with a text of the api in place of the one that is kept. @throws SettingsError */
  readonly read: (offered?: RemoteText) => Config;
  /** Goes on with another configuration, and says how the first runs of the sources ended that it started. */
  readonly apply: (config: Config) => Promise<readonly FirstRun[]>;
  readonly random?: () => number;
  readonly now?: () => number;
}

/** A text that could not be started is tried again after this: its devices may have been away, ms. */
const AGAIN_AFTER = 3_600_000;
const LONGEST_REASON = 1_000;

/**
 * Takes what the api has for this PC, where `remote` of its own file lets it:
 *
 *     ask → right? → started? → kept: counts from the next start on, too
 *             └── refused ──────┘   the last good one goes on, and the api is told why
 *
 * A text is wrong that breaks the rules of the file or of `remote`, or of which no source that it adds or changes can be read at all.
 */
export class RemoteConfiguration {
  private readonly abort = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private said = '';
  /** What was last refused, as the api knows it. */
  private refused: KeptRemote['refused'];

  /** @param remote what `remote` of the file lets the api do, as it was last read. */
  constructor(
    private remote: Remote | undefined,
    private readonly connection: ApiConnection,
    private readonly options: RemoteConfigurationOptions,
    private readonly log: Log,
  ) {}

  start(): void {
    this.takeUpKept();
    const random = this.options.random ?? Math.random;
    const later = (delay: number): void => {
      this.timer = setTimeout(() => {
        void this.look().finally(() => {
          if (!this.abort.signal.aborted) later(this.options.interval * (0.75 + random() / 2));
        });
      }, delay);
    };
    // All PCs of a room that start together need not ask together.
    later(random() * this.options.interval);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.abort.abort();
  }

  /** The file of this PC was read again. */
  reread({ remote }: Config): void {
    this.remote = remote;
    this.takeUpKept();
  }

  /** Asks once, and takes what has come. Never rejects. */
  async look(): Promise<void> {
    const { remote } = this;
    if (!remote) return;
    try {
      const offered = await this.ask(remote);
      if (offered) await this.take(offered, remote);
    } catch (error) {
      if (this.abort.signal.aborted) return;
      const reasons = error instanceof SettingsError ? error.mistakes.join('; ') : reasonOf(error);
      this.sayOnce(`The configuration that the api has for this PC cannot be taken now: ${reasons}`);
    }
  }

  /** What was kept may have ended the collector, or no longer go with the file. */
  private takeUpKept(): void {
    const { remote } = this;
    if (!remote) return;
    const kept = readKeptRemote(remote.file);
    this.refused = kept?.refused;
    if (kept?.trying !== undefined) {
      this.refuse(kept.trying, 'the collector ended while it tried it', remote);
    } else if (remote.mistakes.length > 0 && this.refused?.version !== remote.version) {
      this.refuse(remote.version, remote.mistakes.join('; '), remote);
    } else if (remote.mistakes.length === 0 && this.refused?.version === remote.version) {
      this.refused = undefined;
    }
  }

  private async ask({ allows, version, mistakes }: Remote): Promise<RemoteText | undefined> {
    if (!this.connection.hasJoined) {
      return this.sayOnce('remote is for collectors that have joined their api: this one reads what its own file says');
    }
    const running = mistakes.length === 0 ? version : '';
    const { refused } = this;
    const { status, body } = await this.connection.request({
      method: 'POST',
      path: '/api/v1/collectors/self/configuration',
      data: Buffer.from(
        JSON.stringify({
          running,
          ...(refused && { refused: refused.version, reason: refused.reason }),
          commands: allows.commands,
          secrets: allows.secrets,
        }),
      ),
      signal: this.abort.signal,
    });
    if (status === 404) return this.sayOnce('The api is of a version that has no configurations for collectors');
    if (status !== 200) return this.sayOnce(`The api gives no configuration: ${status} ${detailOf(body)}`);
    this.said = '';
    const { text, version: offered } = JSON.parse(body) as { text?: string; version: string };
    if (offered === running || text === undefined) return undefined;
    const now = this.options.now ?? Date.now;
    const isRefused = refused?.version === offered && now() - refused.at < AGAIN_AFTER;
    return isRefused ? undefined : { version: offered, text };
  }

  private async take(offered: RemoteText, before: Remote): Promise<void> {
    const { options, log } = this;
    const config = options.read(offered);
    const { remote } = config;
    if (!remote) return;
    if (remote.mistakes.length > 0) return this.refuse(offered.version, remote.mistakes.join('; '), before);
    const kept = readKeptRemote(remote.file);
    this.keep({ version: kept?.version ?? '', text: kept?.text ?? '', trying: offered.version }, remote.file);
    const failed = await this.tryOut(config);
    const failure = failed && config.redactor.redact(failed);
    if (this.abort.signal.aborted)
      return this.keep({ version: kept?.version ?? '', text: kept?.text ?? '' }, remote.file);
    if (failure !== undefined) {
      this.refuse(offered.version, failure, before);
      await options.apply(options.read());
      return;
    }
    this.remote = remote;
    this.refused = undefined;
    this.keep(offered, remote.file);
    log.log(
      offered.text === ''
        ? 'The api has no configuration for this PC any more: its own file counts alone'
        : `The configuration ${offered.version} of the api counts now`,
    );
  }

  /** @returns why the sources cannot be started, of which none can be read. */
  private async tryOut(config: Config): Promise<string | undefined> {
    let runs: readonly FirstRun[];
    try {
      runs = await this.options.apply(config);
    } catch (error) {
      return reasonOf(error);
    }
    if (runs.length === 0 || runs.some(({ reason }) => reason === '')) return undefined;
    return `no source that it starts can be read: ${runs.map(({ name, reason }) => `${name}: ${reason}`).join('; ')}`;
  }

  private refuse(version: string, why: string, { file }: Remote): void {
    const reason = why.replace(/\s+/g, ' ').slice(0, LONGEST_REASON);
    this.refused = { version, reason, at: (this.options.now ?? Date.now)() };
    const kept = readKeptRemote(file);
    this.keep({ version: kept?.version ?? '', text: kept?.text ?? '', refused: this.refused }, file);
    const stays = kept?.version && kept.version !== version ? kept.version : "this PC's own file";
    this.log.warn(`The configuration ${version} of the api is refused, and ${stays} goes on: ${reason}`);
  }

  /** Whole or not at all, and for its owner alone: a text may hold what should be a secret. */
  private keep(kept: KeptRemote, file: string): void {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.new`, JSON.stringify(kept), { mode: 0o600, flush: true });
    renameSync(`${file}.new`, file);
  }

  private sayOnce(message: string): undefined {
    if (message !== this.said) this.log.warn(message);
    this.said = message;
  }
}
