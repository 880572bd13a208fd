import { toRfc3339 } from '@device-metrics/domain';
import type { Command } from './command.js';

export const audit: Command = {
  usage: 'audit                          show who did what, the newest last',
  args: [0, 0],
  run: async ({ store, print }) => {
    for (const entry of (await store.audit.read(Infinity, 1000)).reverse()) {
      const details = Object.entries(entry.details).map((detail) => detail.join('='));
      const outcome = entry.success ? '' : ' (failed)';
      print(
        [
          toRfc3339(entry.at),
          entry.actor,
          `from ${entry.address}:`,
          `${entry.action}${outcome}`,
          entry.target,
          ...details,
        ].join(' '),
      );
    }
  },
};
