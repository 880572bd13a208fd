import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';

/** What a large report may take, bytes. */
const OF_REPORT = 128 * 2 ** 20;

/** Beyond this share of what there is memory is short. */
const SHORT = 0.6;

/** Bytes that the machine has, or those that its cgroup may use, where that is less. */
const MEMORY = Math.min(totalmem(), process.constrainedMemory() || Infinity);

/**
 * Whether so much is in use that another large piece of work could end this process.
 *
 * @param underWay large reports that are being made: each may take more than it has yet.
 */
export function isMemoryShort(underWay = 0): boolean {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  const more = underWay * OF_REPORT;
  return used + more > SHORT * limit || process.memoryUsage.rss() + more > SHORT * MEMORY;
}

/** How many large reports there is memory for. */
export const roomForReports = (): number => Math.max(1, Math.floor(getHeapStatistics().heap_size_limit / OF_REPORT));
