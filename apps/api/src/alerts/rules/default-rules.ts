import type { Document } from '../registry.js';

const hardware = (name: string, states: readonly string[], more: Document): Document[] =>
  states.map((state, index) => ({
    name: index === 0 ? name : `${name} (${state.replaceAll('_', ' ')})`,
    select: { metric: 'hw.status', label: [`hw.state=${state}`, ...((more['label'] as string[] | undefined) ?? [])] },
    condition: { above: 0.5 },
    severity: more['severity'],
    text: more['text'],
  }));

/** The rules that are there from the start; a rule of the same name takes the place of one. */
export const DEFAULT_RULES: readonly Document[] = [
  {
    name: 'Device offline',
    condition: { type: 'device', status: 'offline' },
    severity: 'critical',
    text: 'It has been silent for ten times its usual pause. Is it switched on, and does its collector run?',
  },
  {
    name: 'File system almost full',
    select: { metric: 'system.filesystem.utilization', label: 'system.filesystem.mode=rw' },
    condition: { above: 0.9 },
    for: '5m',
    clear: { level: 0.88, for: '5m' },
    severity: 'warning',
    text: 'Delete what is not needed, or make it larger.',
  },
  {
    name: 'File system full within 3 days',
    select: { metric: 'system.filesystem.utilization', label: 'system.filesystem.mode=rw' },
    condition: { type: 'full', within: '3d', window: '3d' },
    for: '1h',
    clear: { for: '1h' },
    severity: 'warning',
    text: 'It fills steadily: find out what writes there.',
  },
  {
    name: 'File system read-only',
    select: { metric: 'system.filesystem.utilization', label: 'system.filesystem.mode=ro' },
    condition: { type: 'switched', label: 'system.filesystem.mode', from: 'rw', to: 'ro' },
    severity: 'critical',
    text: 'Linux does so after errors of the disk: look into its log, and save the data.',
  },
  {
    name: 'Memory almost full',
    select: { metric: 'system.memory.utilization', label: 'system.memory.state=used' },
    condition: { above: 0.95 },
    for: '10m',
    clear: { level: 0.9, for: '2m' },
    severity: 'warning',
    text: 'Programs are about to be ended for want of memory.',
  },
  {
    name: 'CPU busy',
    // Of all processors together: one program that is stuck takes one of them.
    select: { metric: 'system.cpu.utilization', label: 'cpu.logical_number=' },
    condition: { above: 0.95, measure: 'mean', window: '5m' },
    for: '30m',
    clear: { level: 0.9, for: '5m' },
    severity: 'warning',
    text: 'Look for the program that takes the processor.',
  },
  {
    name: 'Too hot',
    select: { metric: 'hw.temperature' },
    condition: { above: 90, above_metric: 'hw.temperature.limit' },
    for: '1m',
    clear: { for: '2m' },
    severity: 'critical',
    text: 'Look at fans, dust and the air around it.',
  },
  ...hardware('UPS on battery', ['on_battery'], {
    severity: 'critical',
    text: 'The mains have failed, or the plug is out.',
  }),
  ...hardware('UPS battery low', ['low_battery'], { severity: 'critical', text: 'Shut down what hangs on it.' }),
  ...hardware('UPS battery to be replaced', ['replace_battery'], {
    severity: 'warning',
    text: 'It will not last through the next outage.',
  }),
  ...hardware('UPS forces a shutdown', ['forced_shutdown'], {
    severity: 'critical',
    text: 'What hangs on it is about to lose power.',
  }),
  ...hardware('Disk fails', ['failed', 'predicted_failure', 'degraded'], {
    // Physical disks, and the arrays and pools that are made of them.
    label: ['hw.type=*_disk'],
    severity: 'critical',
    text: 'Save the data, and replace the disk.',
  }),
  {
    name: 'Systemd unit failed',
    select: {
      metric: ['systemd.unit.state', 'systemd.unit.count'],
      label: 'systemd.unit.active_state=failed',
    },
    condition: { above: 0.5 },
    for: '1m',
    severity: 'warning',
    text: 'systemctl status and journalctl -u with its name say why.',
  },
  {
    name: 'Container unhealthy',
    select: { metric: 'container.health', label: 'container.health.state=unhealthy' },
    condition: { above: 0.5 },
    for: '2m',
    severity: 'warning',
    text: 'docker inspect with its name shows its last checks.',
  },
  {
    name: 'Source fails',
    select: { metric: 'collector.source.success' },
    condition: { below: 0.5 },
    for: '15m',
    severity: 'warning',
    text: 'The log of the collector says why.',
  },
  {
    name: 'Upload stuck',
    select: { metric: 'collector.spool.oldest_age' },
    condition: { above: 3600 },
    severity: 'warning',
    text: 'Samples have waited for an hour: the log of the collector says what holds them.',
  },
  {
    name: 'Spool grows',
    select: { metric: 'collector.spool.samples' },
    condition: { type: 'change', measure: 'min', window: '30m', above: 0.5 },
    for: '1h',
    severity: 'warning',
    text: 'More is collected than is sent.',
  },
  {
    name: 'Clock off',
    condition: { type: 'clock', above: '1m' },
    for: '5m',
    severity: 'warning',
    text: 'Is time synchronization on?',
  },
  {
    name: 'Samples refused',
    condition: { type: 'server', measure: 'refused', above: 0, window: '15m' },
    severity: 'info',
    text: 'A collector keeps what was refused in its quarantine, with the reason; other senders got it as the answer.',
  },
  {
    name: 'Data damaged',
    condition: { type: 'server', measure: 'damaged', above: 0 },
    severity: 'critical',
    text: 'Pieces of the database were found damaged and set aside. Check the disk, and the backups.',
  },
  {
    name: 'Disk of the database almost full',
    condition: { type: 'server', measure: 'disk', above: 0.85 },
    for: '5m',
    clear: { level: 0.83, for: '5m' },
    severity: 'critical',
    text: 'When it is full, nothing more is stored.',
  },
];
