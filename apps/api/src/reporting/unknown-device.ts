import { quote } from '@device-metrics/contract';
import { Problem } from '../http/problem.js';

/** What a report answers of a device that has never sent anything. */
export const unknownDevice = (deviceName: string): Problem =>
  new Problem(404, `There is no device ${quote(deviceName)}; GET /api/v1/reports/summary names those that there are.`);
