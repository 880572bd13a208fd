import { to, type FieldMapping } from './mapping.js';

/** Modes of a processor as psutil's field names have them, which several senders use, and as the catalogue does. */
export const CPU_MODES = {
  user: 'user',
  nice: 'nice',
  system: 'system',
  irq: 'interrupt',
  softirq: 'softirq',
  steal: 'steal',
  iowait: 'iowait',
} as const;

export const memory = (state: string): FieldMapping => to('system.memory.usage', { 'system.memory.state': state });
export const swap = (state: string): FieldMapping => to('system.paging.usage', { 'system.paging.state': state });
export const space = (state: string): FieldMapping =>
  to('system.filesystem.usage', { 'system.filesystem.state': state });

export const READ = { 'disk.io.direction': 'read' };
export const WRITE = { 'disk.io.direction': 'write' };
export const RECEIVE = { 'network.io.direction': 'receive' };
export const TRANSMIT = { 'network.io.direction': 'transmit' };
