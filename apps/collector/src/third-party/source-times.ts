import type { Section } from '../config/section.js';

/**
 * The key `timestamps`: with `source` readings have the times that the device gives them, where it does, and not that of the
 * run. A sensor that is dead behind a gateway that lives then looks dead.
 */
export const hasSourceTimes = (keys: Section): boolean =>
  keys.choice('timestamps', ['run', 'source'], 'run') === 'source';
