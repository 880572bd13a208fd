/**
 * How people start a program of Device Metrics on this machine: `device-metrics api` where it is installed, and otherwise by its
 * file, in the folder of the sources.
 */
export const commandLine = (program: 'api' | 'collector'): string =>
  process.env['DEVICE_METRICS_INSTALLED'] === undefined
    ? `node apps/${program}/dist/main.js`
    : `device-metrics ${program}`;
