import { DevicesSeriesSamples1763900000000 } from './1763900000000-devices-series-samples.js';
import { JournalAndChunks1764000000000 } from './1764000000000-journal-and-chunks.js';
import { DeviceDescription1764100000000 } from './1764100000000-device-description.js';
import { Access1764300000000 } from './1764300000000-access.js';
import { Parts1764400000000 } from './1764400000000-parts.js';
import { Alerts1764500000000 } from './1764500000000-alerts.js';
import { DeviceAlias1764600000000 } from './1764600000000-device-alias.js';
import { DeviceMerge1764900000000 } from './1764900000000-device-merge.js';
import { Said1765300000000 } from './1765300000000-said.js';
import { CollectorUpdate1765400000000 } from './1765400000000-collector-update.js';
import { RowChecksums1765500000000 } from './1765500000000-row-checksums.js';
import { Configurations1765600000000 } from './1765600000000-configurations.js';
import { PackedJournal1765800000000 } from './1765800000000-packed-journal.js';

/** In the order in which they run. */
export const migrations = [
  DevicesSeriesSamples1763900000000,
  JournalAndChunks1764000000000,
  DeviceDescription1764100000000,
  Access1764300000000,
  Parts1764400000000,
  Alerts1764500000000,
  DeviceAlias1764600000000,
  DeviceMerge1764900000000,
  Said1765300000000,
  CollectorUpdate1765400000000,
  RowChecksums1765500000000,
  Configurations1765600000000,
  PackedJournal1765800000000,
];
