import { cpu } from './cpu.js';
import { filesystem } from './filesystem.js';
import type { PcGroup } from './group.js';
import { memory } from './memory.js';
import { network } from './network.js';
import { uptime } from './uptime.js';

/** Every group of metrics of this PC. */
export const pcGroups: readonly PcGroup[] = [cpu, memory, filesystem, network, uptime];
