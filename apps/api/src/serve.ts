import { accessSync, constants, statSync } from 'node:fs';
import type { Server as TlsServer } from 'node:tls';
import { reasonOf } from '@device-metrics/domain';
import {
  Mistakes,
  readEnvironment,
  isTerminalGone,
  unheeded,
  outliveReaders,
  serviceManager,
  SettingsError,
  type ServiceManager,
} from '@device-metrics/settings';
import {
  DatabaseRefusedError,
  DatabaseTakenError,
  sqliteDriver,
  takeDatabase,
  type AccessStore,
} from '@device-metrics/storage';
import type { INestApplication, Logger, LogLevel } from '@nestjs/common';
import { repairHintFor } from './admin/repair-hint.js';
import { prepareUpgrade } from './admin/upgrade.js';
import { AppModule } from './app.module.js';
import { ACCESS_STORE } from './access/access-store.js';
import { noteSettings } from './access/audit/note-settings.js';
import { isLoopbackName } from './access/check-host.js';
import { Guard } from './access/guard.js';
import { MayOpen } from './access/may-open.js';
import type { Certificate } from './access/tls/certificate.js';
import { answerPlainOnThisMachine } from './access/tls/plain-on-this-machine.js';
import { CERTIFICATE, tlsMaterial } from './access/tls/tls-material.js';
import { reachableUrl } from './access/reachable-url.js';
import { FirstAdminCode } from './access/sessions/first-admin.js';
import { SecretBox } from './access/sessions/secret-box.js';
import { boundHeapGrowth } from './heap-growth.js';
import { consoleLogger } from './http/console-logger.js';
import { lineUpConnections } from './http/line-up-connections.js';
import { createServer } from './create-server.js';
import { StartingServer } from './http/starting-server.js';
import { KnownStores } from './known-store.js';
import { apiSettingGroups, readApiSettings } from './settings.js';
import { version } from './version.js';

/** Connections that the kernel holds until they are taken: Node takes all of them in one turn of the event loop. */
const BACKLOG = 128;

/** Beyond this after a signal the process ends, whatever still hangs, ms. */
const LATEST_EXIT = 10_000;

/**
 * Runs the api until a signal ends it.
 *
 * @param isNew whether it may begin with an empty database where there was one before.
 * @param levels what of its log is printed, once it listens.
 * @throws SettingsError, SqliteUnavailableError or what else keeps it from starting.
 */
export async function serve(isNew: boolean, logger: Logger, levels: LogLevel[]): Promise<void> {
  outliveReaders();
  // Before Nest, which would tell a mistake by its stack.
  const settings = readApiSettings();
  const { host, port, databasePath, databaseUrl, access } = settings;
  const manager = serviceManager((reason) => logger.warn(reason));
  const stores = new KnownStores(process.cwd());
  const lost = isNew || databaseUrl !== '' ? undefined : stores.whyNot(databasePath);
  if (lost !== undefined) throw new SettingsError([lost]);
  if (databaseUrl === '') sqliteDriver();
  const tls = await tlsMaterial(settings, Date.now());
  const notListening = (error: NodeJS.ErrnoException): never => {
    throw new SettingsError([`PORT ${port} of ${host} cannot be listened on: ${error.message}`]);
  };
  if (databaseUrl === '') holdDatabase(databasePath);
  const starting = await StartingServer.open({ host, port, tls }).catch(notListening);
  const upgrade = await prepareUpgrade(settings, Date.now(), (message) => logger.log(message));
  const app = await createServer(AppModule, {
    tls,
    trustedProxies: access.trustedProxies,
    beforeRoutes: (made) => made.get(Guard).stand(made.getHttpAdapter().getInstance()),
  }).catch((error: NodeJS.ErrnoException) => {
    if (error instanceof DatabaseRefusedError) throw new SettingsError([`DATABASE_URL ${error.message}`]);
    if (upgrade) {
      upgrade.undo();
      throw new SettingsError([
        `DATABASE_PATH ${databasePath} could not be changed for version ${version()}: ${reasonOf(error)}. It is as it was; the version ` +
          `before goes on with it. The backup is ${upgrade.backup}`,
      ]);
    }
    // The folder may be one that cannot be made.
    if (!error.code?.startsWith('SQLITE_') && error.syscall !== 'mkdir') throw error;
    throw new SettingsError([
      `DATABASE_PATH ${databasePath} cannot be opened: ${error.message}${repairHintFor(error)}`,
    ]);
  });
  const closed = await app.get(MayOpen).whyNot(host);
  if (closed !== undefined) {
    await app.close();
    throw new SettingsError([closed]);
  }
  if (tls) answerPlainOnThisMachine(app.getHttpServer() as unknown as TlsServer);
  lineUpConnections(app.getHttpAdapter().getInstance());
  const { port: free } = starting;
  await app.listen({ host, port: free, backlog: BACKLOG, ...starting.handOver() }).catch(notListening);
  boundHeapGrowth();
  app.useLogger(consoleLogger(levels));
  if (databaseUrl === '') rememberStore(stores, databasePath, logger);
  stopOnSignal(app, manager);
  const accessStore = app.get<AccessStore>(ACCESS_STORE);
  const [environment, box] = [readEnvironment(new Mistakes()), SecretBox.beside(databasePath)];
  for (const name of unheeded(apiSettingGroups, environment)) logger.warn(name);
  await noteSettings(accessStore.audit, apiSettingGroups, environment, box, Date.now());
  if (!isLoopbackName(host) && !(await accessStore.users.any())) {
    const url = `${reachableUrl(await app.getUrl())}/setup#code=${app.get(FirstAdminCode).make()}`;
    logger.log(`There is no user yet; this link makes the first admin, once: ${url}`);
  }
  const certificate = app.get<Certificate | undefined>(CERTIFICATE);
  certificate?.watch(app.getHttpServer() as unknown as TlsServer, logger);
  logger.log(`Listening on ${await app.getUrl()}; documentation at ${await app.getUrl()}/docs`);
  if (certificate) logger.log(`The fingerprint of its certificate is ${certificate.fingerprint}`);
  manager.ready();
}

/** Until this process ends. @throws SettingsError where another one has it. */
function holdDatabase(databasePath: string): void {
  try {
    const lock = takeDatabase(databasePath);
    if (!lock && mayWrite(databasePath)) {
      throw new DatabaseTakenError(
        `${databasePath}.lock cannot be opened, so that another api may run on it: give it to the user of the api, or delete it while none runs`,
      );
    }
    process.once('exit', () => lock?.close());
  } catch (error) {
    if (!(error instanceof DatabaseTakenError)) throw error;
    throw new SettingsError([`DATABASE_PATH ${databasePath} cannot be used: ${error.message}`]);
  }
}

/** One that may not is refused when it is opened, which says more. */
function mayWrite(databasePath: string): boolean {
  try {
    accessSync(databasePath, constants.W_OK);
    return statSync(databasePath).isFile();
  } catch {
    return false;
  }
}

/** That a working folder cannot be written to is no reason not to start. */
function rememberStore(stores: KnownStores, databasePath: string, logger: Logger): void {
  try {
    stores.remember(databasePath);
  } catch (error) {
    logger.warn(`An unmounted disk will not be noticed at the next start: ${reasonOf(error)}`);
  }
}

/** Ends with exit code 0 once the requests under way are answered; a signal that comes again changes nothing. */
function stopOnSignal(app: INestApplication, manager: ServiceManager): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    manager.stopping();
    setTimeout(() => process.exit(1), LATEST_EXIT).unref();
    void app.close().then(() => process.exit(0));
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
  // There is nothing to read again, and Node would end for it behind `nohup`, too.
  process.on('SIGHUP', () => {
    if (isTerminalGone()) stop();
  });
}
