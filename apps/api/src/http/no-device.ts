import { quote } from '@device-metrics/contract';
import { Problem } from './problem.js';

/** The answer to a call about a device that there is not. */
export const noDevice = (name: string): Problem =>
  new Problem('unknown-device', `There is no device ${quote(name)}; GET /api/v1/devices names those that there are.`);
