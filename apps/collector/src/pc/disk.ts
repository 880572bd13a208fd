import type { Labels, Reading } from '@device-metrics/domain';
import { patternsOf, type PcGroup } from './group.js';
import { KnownDisks } from './linux/disks.js';
import type { Machine } from './machine.js';

export const disk: PcGroup = {
  name: 'disk',
  metrics: [
    'system.disk.io',
    'system.disk.operations',
    'system.disk.merged',
    'system.disk.operation_time',
    'system.disk.io_time',
  ],
  startsProgram: 'outside Linux',
  configure: (keys) => {
    const isExcluded = patternsOf(keys, 'exclude', ['loop*', 'ram*', 'zram*', 'fd*', 'sr*']);
    return (machine) => {
      if (machine.platform !== 'linux') return () => readOther(machine);
      const known = new KnownDisks(machine, isExcluded);
      return async () => {
        const counts = new Map(parseDiskstats(await machine.read('proc/diskstats')));
        return (await known.disks()).flatMap(({ kernelName, labels }) => {
          const fields = counts.get(kernelName);
          return fields ? diskReadings(labels, fields) : [];
        });
      };
    };
  },
};

/** /proc/diskstats counts sectors of this size, whatever the disk's own. */
const SECTOR = 512;

/** The counts by disk and partition; see the kernel's Documentation/admin-guide/iostats.rst. */
export function parseDiskstats(text: string): [name: string, counts: number[]][] {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [, , name = '', ...counts] = line.trim().split(/ +/);
      return [name, counts.map(Number)];
    });
}

function diskReadings(labels: Labels, counts: readonly number[]): Reading[] {
  const [reads = 0, mergedReads = 0, readSectors = 0, readMs = 0, ...others] = counts;
  const [writes = 0, mergedWrites = 0, writtenSectors = 0, writeMs = 0, , busyMs = 0] = others;
  const both = (metricName: string, read: number, write: number): Reading[] => [
    { metricName, labels: { ...labels, 'disk.io.direction': 'read' }, value: read },
    { metricName, labels: { ...labels, 'disk.io.direction': 'write' }, value: write },
  ];
  return [
    ...both('system.disk.io', readSectors * SECTOR, writtenSectors * SECTOR),
    ...both('system.disk.operations', reads, writes),
    ...both('system.disk.merged', mergedReads, mergedWrites),
    ...both('system.disk.operation_time', readMs / 1000, writeMs / 1000),
    { metricName: 'system.disk.io_time', labels, value: busyMs / 1000 },
  ];
}

/** Elsewhere systeminformation tells of all disks together, and of none on Windows. */
async function readOther({ si }: Machine): Promise<Reading[]> {
  // Its types say that these are always there; where a platform has none they are null.
  const bytes = (await si.fsStats()) as { rx: number | null; wx: number | null } | null;
  const operations = (await si.disksIO()) as { rIO: number | null; wIO: number | null } | null;
  const reading = (metricName: string, direction: string, value: number | null | undefined): Reading[] =>
    typeof value === 'number'
      ? [{ metricName, labels: { 'system.device': 'all', 'disk.io.direction': direction }, value }]
      : [];
  return [
    ...reading('system.disk.io', 'read', bytes?.rx),
    ...reading('system.disk.io', 'write', bytes?.wx),
    ...reading('system.disk.operations', 'read', operations?.rIO),
    ...reading('system.disk.operations', 'write', operations?.wIO),
  ];
}
