import { unwatchFile, watchFile } from 'node:fs';
import { Collector } from '../run/collector.js';
import { DevicesInUse } from '../run/devices-in-use.js';
import { Logs } from '../run/log.js';
import { MetricsEndpoint } from '../run/metrics-endpoint.js';
import { serviceManager, SettingsError } from '@device-metrics/settings';
import { readApiAgain } from '../config/api.js';
import { readConfig, type Config } from '../config/config.js';
import { Announcer } from '../upload/announce.js';
import { ApiClient } from '../upload/api-client.js';
import { ApiConnection } from '../upload/api-connection.js';
import { openSpool, takeSpool } from '../upload/open-spool.js';
import type { Spool } from '../upload/spool.js';
import { Uploader } from '../upload/uploader.js';

/** Beyond this after a signal the process ends, whatever still hangs, ms. */
const LATEST_EXIT = 5_800;
/** How often the configuration file is looked at, ms. */
const WATCH_INTERVAL = 2_000;
const REQUEST_TIMEOUT = 30_000;
/** How long a request that is under way may go on after a signal, ms. */
const STOP_WITHIN = 5_000;
const BACKLOG_PER_SECOND = 20;

/** Collects until SIGTERM or SIGINT, then ends the process; SIGHUP or a change of the file reads the configuration again. */
export function collect(config: Config): void {
  const logs = new Logs(config.redactor);
  const lock = takeSpool(config);
  const spool = openSpool(config, (message) => logs.of('Spool').error(message));
  const devices = new DevicesInUse(config);
  const uploader = uploaderOf(config, spool, devices, logs);
  const sources = logs.of('Source');
  const tools = { say: (message: string): void => sources.log(message) };
  const collector = new Collector(config, tools, spool, uploader, devices, logs.of('Collector'));
  const endpoint = new MetricsEndpoint(collector, logs.of('Metrics'));
  collector.start();
  if (config.metricsPort !== undefined) endpoint.start(config.metricsPort);
  const reload = (): void => reloadInto(collector, logs);
  process.on('SIGHUP', reload);
  watchFile(config.file, { interval: WATCH_INTERVAL }, (now, before) => {
    // A link may lead to another file of the same time: some package managers set the time of all files to one.
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino) reload();
  });
  const manager = serviceManager((reason) => logs.of('Collector').warn(reason));
  manager.ready();
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      manager.stopping();
      unwatchFile(config.file);
      setTimeout(() => process.exit(0), LATEST_EXIT);
      endpoint.stop();
      void collector.stop().then(() => {
        lock.close();
        process.exit(0);
      });
    });
  }
}

function uploaderOf({ api }: Config, spool: Spool, devices: DevicesInUse, logs: Logs): Uploader {
  const log = logs.of('Upload');
  const connection = new ApiConnection(api, REQUEST_TIMEOUT, (message) => log.warn(message));
  const announcer = new Announcer(connection, () => devices.names, log);
  const client = new ApiClient(connection, readApiAgain, (signal) => announcer.announce(signal));
  const options = { backlogPerSecond: BACKLOG_PER_SECOND, stopWithin: STOP_WITHIN };
  return new Uploader(spool, (payload, signal) => client.send(payload, signal), options, log);
}

/** With a mistake in the new configuration the old one stays. */
function reloadInto(collector: Collector, logs: Logs): void {
  try {
    const config = readConfig();
    // What only a restart takes up, as the token of the api, is in use still.
    config.redactor.addAllOf(logs.secrets);
    logs.secrets = config.redactor;
    collector.reload(config);
  } catch (error) {
    const mistakes = error instanceof SettingsError ? [error.message, ...error.mistakes] : [String(error)];
    logs.of('Configuration').error(`Not read again: ${mistakes.join('\n  ')}`);
  }
}
