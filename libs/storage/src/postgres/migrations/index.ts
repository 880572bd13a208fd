import { Said1765300000000 } from '../../sqlite/migrations/1765300000000-said.js';
import { CollectorUpdate1765400000000 } from '../../sqlite/migrations/1765400000000-collector-update.js';
import { Configurations1765600000000 } from '../../sqlite/migrations/1765600000000-configurations.js';
import { DeviceMerge1765700000000 } from './1765700000000-device-merge.js';
import { Tables1764650000000 } from './1764650000000-tables.js';

/** In the order of their times, in which they run. Those that SQLite has got since are written so that both take them. */
export const migrations = [
  Tables1764650000000,
  Said1765300000000,
  CollectorUpdate1765400000000,
  Configurations1765600000000,
  DeviceMerge1765700000000,
];
