import type { Reading } from '@device-metrics/domain';
import { matches, type PcGroup } from './group.js';
import type { Machine } from './machine.js';

interface Filters {
  readonly virtual: boolean;
  readonly readOnly: boolean;
  readonly remote: boolean;
  /** Patterns of mount points. */
  readonly exclude: readonly string[];
}

interface Mount {
  readonly device: string;
  readonly mountpoint: string;
  readonly type: string;
  readonly readOnly: boolean;
  /** `major:minor` of the device; the same for every bind mount of it. */
  readonly id: string;
}

/** Bytes, and numbers of inodes where the platform counts them. */
interface Space {
  readonly size: number;
  readonly used: number;
  /** What an ordinary user may still write. */
  readonly available: number;
  /** What only root may write; undefined where the platform has no such thing. */
  readonly reserved?: number;
  readonly inodes?: { readonly all: number; readonly free: number };
}

/** Reading a remote file system hangs while its server is away, so they are left out unless asked for. */
const REMOTE = /^(nfs4?|cifs|smb3|smbfs|afpfs|webdav|9p|afs|ceph|glusterfs|fuse\.sshfs|fuse\.rclone)$/i;
const REAL =
  /^(ext[234]|xfs|btrfs|zfs|f2fs|jfs|reiserfs|bcachefs|vfat|exfat|ntfs3?|fuseblk|apfs|hfs|msdos|fat|fat32|refs|iso9660|cdfs|udf|ubifs)$/i;

export const filesystem: PcGroup = {
  name: 'filesystem',
  metrics: [
    'system.filesystem.usage',
    'system.filesystem.utilization',
    'system.filesystem.limit',
    'system.filesystem.inodes.usage',
  ],
  startsProgram: 'outside Linux',
  configure: (keys) => {
    const filters = {
      virtual: keys.flag('virtual', false),
      readOnly: keys.flag('read_only', false),
      remote: keys.flag('remote', false),
      exclude: keys.texts('exclude', []),
    };
    return (machine) => () =>
      machine.platform === 'linux' ? readLinux(machine, filters) : readOther(machine, filters);
  },
};

async function readLinux(machine: Machine, filters: Filters): Promise<Reading[]> {
  const mounts = wanted(parseMountinfo(await machine.read('proc/self/mountinfo')), filters);
  const readings: Reading[] = [];
  // One after the other: a mount that hangs holds one thread, not all.
  for (const mount of mounts) {
    // A mount that only root may look into, or that is gone by now, is left out.
    const stat = await machine.statfs(mount.mountpoint).catch(() => undefined);
    if (!stat || stat.blocks === 0) continue;
    readings.push(
      ...spaceReadings(mount, {
        size: stat.blocks * stat.bsize,
        used: (stat.blocks - stat.bfree) * stat.bsize,
        available: stat.bavail * stat.bsize,
        reserved: (stat.bfree - stat.bavail) * stat.bsize,
        ...(stat.files > 0 && { inodes: { all: stat.files, free: stat.ffree } }),
      }),
    );
  }
  return readings;
}

async function readOther(machine: Machine, filters: Filters): Promise<Reading[]> {
  const spaces = new Map<Mount, Space>();
  for (const { fs, mount, type, rw, size, used, available } of await machine.si.fsSize()) {
    // Where it is not known whether something can be written, rw is null.
    const of = { device: fs, mountpoint: mount, type, readOnly: rw === false, id: fs };
    if (size > 0) spaces.set(of, { size, used, available });
  }
  return wanted([...spaces.keys()], filters).flatMap((mount) => spaceReadings(mount, spaces.get(mount) as Space));
}

/** The mounts of /proc/self/mountinfo; see proc_pid_mountinfo(5). */
export function parseMountinfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [, , id = '', , mountpoint = '', options = ''] = left.split(' ');
    const [type = '', device = '', superOptions = ''] = right.split(' ');
    const isReadOnly = (list: string): boolean => list.split(',').includes('ro');
    if (mountpoint === '' || type === '') return [];
    const readOnly = isReadOnly(options) || isReadOnly(superOptions);
    return [{ device: unescape(device), mountpoint: unescape(mountpoint), type, readOnly, id }];
  });
}

/** The mounts that the filters leave, each device once. */
export function wanted(mounts: readonly Mount[], filters: Filters): Mount[] {
  const seen = new Set<string>();
  return mounts.filter(({ mountpoint, type, readOnly, id }) => {
    if (readOnly && !filters.readOnly) return false;
    if (REMOTE.test(type) ? !filters.remote : !REAL.test(type) && !filters.virtual) return false;
    if (matches(mountpoint, filters.exclude) || seen.has(id)) return false;
    seen.add(id);
    return true;
  });
}

/** The kernel writes space, tab, line feed and backslash in names as `\040`, `\011`, `\012` and `\134`. */
const unescape = (name: string): string =>
  name.replace(/\\([0-7]{3})/g, (_whole, octal: string) => String.fromCharCode(parseInt(octal, 8)));

function spaceReadings(
  { device, mountpoint, type, readOnly }: Mount,
  { size, used, available, reserved, inodes }: Space,
): Reading[] {
  const labels = {
    'system.device': device,
    'system.filesystem.mountpoint': mountpoint,
    'system.filesystem.type': type,
    'system.filesystem.mode': readOnly ? 'ro' : 'rw',
  };
  const usage = { used, free: available, ...(reserved !== undefined && { reserved }) };
  const readings: Reading[] = [
    { metricName: 'system.filesystem.limit', labels, value: size },
    // As df: of what an ordinary user could fill.
    {
      metricName: 'system.filesystem.utilization',
      labels,
      value: used + available > 0 ? used / (used + available) : 0,
    },
  ];
  for (const [state, value] of Object.entries(usage)) {
    readings.push({
      metricName: 'system.filesystem.usage',
      labels: { ...labels, 'system.filesystem.state': state },
      value,
    });
  }
  for (const [state, value] of inodes ? Object.entries({ used: inodes.all - inodes.free, free: inodes.free }) : []) {
    readings.push({
      metricName: 'system.filesystem.inodes.usage',
      labels: { ...labels, 'system.filesystem.state': state },
      value,
    });
  }
  return readings;
}
