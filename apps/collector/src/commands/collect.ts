import { unwatchFile, watchFile } from 'node:fs';
import { reasonOf } from '@device-metrics/domain';
import { Collector, type FirstRun } from '../run/collector.js';
import { DevicesInUse } from '../run/devices-in-use.js';
import { Logs } from '../run/log.js';
import { MetricsEndpoint } from '../run/metrics-endpoint.js';
import { isTerminalGone, outliveReaders, serviceManager, SettingsError } from '@device-metrics/settings';
import { readApiAgain } from '../config/api.js';
import { noteStart } from '../config/as-started.js';
import { readConfig, type Config } from '../config/config.js';
import { Announcer } from '../upload/announce.js';
import { ApiClient } from '../upload/api-client.js';
import { ApiConnection } from '../upload/api-connection.js';
import { openSpool, takeSpool } from '../upload/open-spool.js';
import type { Spool } from '../upload/spool.js';
import { Uploader } from '../upload/uploader.js';
import { RemoteConfiguration } from '../remote/remote-configuration.js';
import { handOver, thisProgram } from '../update/hand-over.js';
import { onTrial } from '../update/on-trial.js';
import { UpdateFolder } from '../update/update-folder.js';
import { Updater } from '../update/updater.js';

/** Beyond this after a signal the process ends, whatever still hangs, ms. */
const LATEST_EXIT = 5_800;
/** How often the configuration file is looked at, ms. */
const WATCH_INTERVAL = 2_000;
const REQUEST_TIMEOUT = 30_000;
/** How long a request that is under way may go on after a signal, ms. */
const STOP_WITHIN = 5_000;
const BACKLOG_PER_SECOND = 20;
/** Two minutes to send, as people are told; half a minute without a sign of life is a hanging program, ms. */
const TRIAL_LIMITS = { within: 120_000, silence: 30_000 };

/** Collects until SIGTERM or SIGINT, then ends the process; SIGHUP or a change of the file reads the configuration again. */
export async function collect(config: Config): Promise<void> {
  outliveReaders();
  const logs = new Logs(config.redactor);
  for (const name of config.unheeded) logs.of('Configuration').warn(name);
  const trial = onTrial();
  await trial?.allowed();
  const lock = takeSpool(config);
  const spool = openSpool(config, (message) => logs.of('Spool').error(message));
  try {
    noteStart(config);
  } catch (error) {
    logs.of('Collector').warn(`Commands of another shell do not learn which api this uses: ${reasonOf(error)}`);
  }
  const devices = new DevicesInUse(config);
  const connection = new ApiConnection(config.api, REQUEST_TIMEOUT, (message) => logs.of('Upload').warn(message));
  const uploader = uploaderOf(connection, spool, devices, logs);
  const sources = logs.of('Source');
  const tools = { say: (message: string): void => sources.log(message) };
  const collector = new Collector(config, tools, spool, uploader, devices, logs.of('Collector'));
  const endpoint = new MetricsEndpoint(collector, logs.of('Metrics'));
  collector.start();
  if (config.metricsPort !== undefined) endpoint.start(config.metricsPort);
  trial?.tell(() => uploader.acknowledged > 0);
  const remote = new RemoteConfiguration(
    config.remote,
    connection,
    {
      interval: config.remoteInterval,
      read: (offered) => readConfig(undefined, offered),
      apply: (next) => takeUp(next, collector, logs),
    },
    logs.of('Configuration'),
  );
  let stopped: Promise<void> | undefined;
  const stopCollecting = (): Promise<void> => {
    unwatchFile(config.file);
    remote.stop();
    endpoint.stop();
    return (stopped ??= collector.stop().then(() => void lock.close()));
  };
  let { isAutomatic } = config.update;
  const options = {
    isAutomatic: (): boolean => isAutomatic,
    interval: config.update.interval,
    limits: TRIAL_LIMITS,
    stopCollecting,
    handOver,
    self: thisProgram(),
  };
  const folder = UpdateFolder.ofThisInstallation();
  const updater = new Updater(connection, folder, options, logs.of('Update'));
  if (!trial) {
    folder?.tidy();
    updater.start();
    remote.start();
  }
  const reload = (): void => {
    if (updater.passOn('SIGHUP')) return;
    const next = reloadInto(collector, logs);
    if (!next) return;
    isAutomatic = next.update.isAutomatic;
    remote.reread(next);
  };
  watchFile(config.file, { interval: WATCH_INTERVAL }, (now, before) => {
    // A link may lead to another file of the same time: some package managers set the time of all files to one.
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino) reload();
  });
  const manager = serviceManager((reason) => logs.of('Collector').warn(reason));
  manager.ready();
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    manager.stopping();
    setTimeout(() => process.exit(0), LATEST_EXIT);
    void Promise.all([updater.stop(), stopCollecting()]).then(() => process.exit(0));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  process.on('SIGHUP', () => (isTerminalGone() ? stop() : reload()));
}

function uploaderOf(connection: ApiConnection, spool: Spool, devices: DevicesInUse, logs: Logs): Uploader {
  const log = logs.of('Upload');
  const announcer = new Announcer(connection, () => devices.names, log);
  const client = new ApiClient(connection, readApiAgain, (payload, signal) => announcer.announce(payload, signal));
  const options = { backlogPerSecond: BACKLOG_PER_SECOND, stopWithin: STOP_WITHIN };
  return new Uploader(spool, (payload, signal) => client.send(payload, signal), options, log);
}

function takeUp(config: Config, collector: Collector, logs: Logs): Promise<readonly FirstRun[]> {
  // What only a restart takes up, as the token of the api, is in use still.
  config.redactor.addAllOf(logs.secrets);
  logs.secrets = config.redactor;
  return collector.reload(config);
}

/** With a mistake in the new configuration the old one stays. @returns the new one. */
function reloadInto(collector: Collector, logs: Logs): Config | undefined {
  try {
    const config = readConfig();
    void takeUp(config, collector, logs);
    return config;
  } catch (error) {
    const mistakes = error instanceof SettingsError ? [error.message, ...error.mistakes] : [String(error)];
    logs.of('Configuration').error(`Not read again: ${mistakes.join('\n  ')}`);
    return undefined;
  }
}
