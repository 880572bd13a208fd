import { battery } from './battery.js';
import { containers } from './containers.js';
import { cpu } from './cpu.js';
import { diskHealth } from './disk-health.js';
import { disk } from './disk.js';
import { filesystem } from './filesystem.js';
import { gpu } from './gpu.js';
import type { PcGroup } from './group.js';
import { memory } from './memory.js';
import { network } from './network.js';
import { pools } from './pools.js';
import { pressure } from './pressure.js';
import { processes } from './processes.js';
import { services } from './services.js';
import { temperature } from './temperature.js';
import { uptime } from './uptime.js';
import { users } from './users.js';

/** Every group of metrics of this PC. */
export const pcGroups: readonly PcGroup[] = [
  cpu,
  memory,
  pressure,
  filesystem,
  disk,
  diskHealth,
  pools,
  network,
  temperature,
  battery,
  gpu,
  uptime,
  processes,
  containers,
  services,
  users,
];
