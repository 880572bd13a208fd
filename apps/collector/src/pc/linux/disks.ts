import type { Labels } from '@device-metrics/domain';
import type { Machine } from '../machine.js';

/** A disk of Linux as a whole. */
export interface Disk {
  /** As in /proc/diskstats: `sda`, `dm-0`, `cciss/c0d0`. */
  readonly kernelName: string;
  /** As a person knows it: the name that LVM and the like gave, else the kernel's. */
  readonly name: string;
  /** Of its folder in /sys/block. */
  readonly folder: string;
  /** Of the disk itself, wherever it is plugged in; undefined where it has none. */
  readonly id: string | undefined;
  /** Made of other disks, or of their partitions. */
  readonly isStacked: boolean;
  readonly labels: Labels;
}

/** Their data is in a file or a pool of another disk, which the kernel does not tell. */
const ON_OTHERS = /^(loop|zd|drbd)\d/;

/**
 * The disks of /sys/block: their partitions are not there, which would count everything twice.
 *
 * @param isExcluded by the name.
 */
export async function disksOf(machine: Machine, isExcluded: (name: string) => boolean): Promise<Disk[]> {
  const all = (await machine.list('sys/block')).map(async (entry): Promise<Disk[]> => {
    const folder = `sys/block/${entry}`;
    const text = (file: string): string | undefined => nonEmpty(machine.readNow(`${folder}/${file}`));
    // A name in /sys has `!` where the kernel's has `/`.
    const kernelName = entry.replaceAll('!', '/');
    if (isExcluded(kernelName)) return [];
    // Numbers of dm are given out anew at each start.
    const name = text('dm/name') ?? kernelName;
    if (isExcluded(name)) return [];
    const id = text('wwid') ?? text('device/wwid') ?? text('device/cid') ?? text('serial');
    const isStacked = ON_OTHERS.test(kernelName) || (await machine.list(`${folder}/slaves`)).length > 0;
    const labels = {
      'system.device': name,
      'system.device.stacked': String(isStacked),
      ...(id !== undefined && { 'hw.id': id }),
    };
    return [{ kernelName, name, folder, id, isStacked, labels }];
  });
  return (await Promise.all(all)).flat();
}

/** For so many runs the disks that were found are those that there are; one that comes or goes ends it. */
const RUNS_OF_SCAN = 60;

/** What does not change from run to run is read once: names and numbers of disks are more files than their counts. */
export class KnownDisks {
  private found: Disk[] = [];
  private names = '';
  private runs = 0;

  constructor(
    private readonly machine: Machine,
    private readonly isExcluded: (name: string) => boolean,
  ) {}

  async disks(): Promise<readonly Disk[]> {
    const names = (await this.machine.list('sys/block')).join();
    if (this.runs === 0 || names !== this.names) this.found = await disksOf(this.machine, this.isExcluded);
    this.names = names;
    this.runs = (this.runs + 1) % RUNS_OF_SCAN;
    return this.found;
  }
}

/** In one line: names of disks are padded with blanks. */
const nonEmpty = (text: string | undefined): string | undefined => text?.replace(/\s+/g, ' ').trim() || undefined;
