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
