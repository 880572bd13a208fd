/** Whether this is a package on this machine; otherwise it runs from its source. */
export const isInstalled = (): boolean => process.env['DEVICE_METRICS_INSTALLED'] !== undefined;

/**
 * How people start a program of Device Metrics on this machine: `device-metrics api` where it is installed, and otherwise by its
 * file, in the folder of the sources.
 */
export const commandLine = (program: 'api' | 'collector'): string =>
  isInstalled() ? `device-metrics ${program}` : `node apps/${program}/dist/main.js`;

/** The file of the settings, whether it is there or not. */
export const settingsFile = (): string => process.env['SETTINGS_FILE'] || '.env';

/** Where a collector of a package keeps versions that it has fetched; empty where it may not, as from its source. */
export const updatesFolder = (): string => process.env['DEVICE_METRICS_UPDATES'] ?? '';

/** Whether another version has started this process to try it out. */
export const isOnTrial = (): boolean => process.env['DEVICE_METRICS_ON_TRIAL'] !== undefined;

/** What a version on trial gets; it says nothing to the service manager, with which the one that tries it out speaks. */
export function environmentOfTrial(): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env, DEVICE_METRICS_ON_TRIAL: '1' };
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete environment[name];
  return environment;
}

/** For a program that takes the place of this one. */
export const environmentOfThisProcess = (): NodeJS.ProcessEnv => process.env;
