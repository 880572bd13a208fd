import { reasonOf, type Reading } from '@device-metrics/domain';
import type { Parts } from '../run/source.js';
import { patiently, patternsOf, type PcGroup, type Reader } from './group.js';
import type { Machine, StatFs } from './machine.js';
import { parseMountinfo, shown, type Mount } from './linux/mounts.js';

interface Filters {
  readonly virtual: boolean;
  readonly readOnly: boolean;
  readonly remote: boolean;
  /** By the mount point. */
  readonly isExcluded: (mountpoint: string) => boolean;
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

/** Their servers may be away, and what they hold is another machine's. */
const REMOTE =
  /^(nfs4?|cifs|smb[23]?|smbfs|afpfs|webdav|davfs|9p|afs|ceph|glusterfs|lustre|beegfs|fuse\.(sshfs|rclone|glusterfs|ceph|ceph-fuse|s3fs|davfs2?|curlftpfs|gcsfuse|juicefs|moosefs|mfs))$/i;
/** What the kernel answers from its memory: it never hangs. */
const LOCAL =
  /^(ext[234]|xfs|btrfs|f2fs|jfs|reiserfs|nilfs2|bcachefs|zfs|vfat|exfat|ntfs3?|msdos|fat|fat32|hfs|hfsplus|ubifs|iso9660|udf|squashfs|erofs|overlay|tmpfs|ramfs|devtmpfs)$/i;
/** Space of this PC: disks, and the pools that are made of several. */
const REAL =
  /^(ext[234]|xfs|btrfs|zfs|f2fs|jfs|reiserfs|nilfs2|ocfs2|gfs2|bcachefs|vfat|exfat|ntfs3?|fuseblk|apfs|hfs|hfsplus|ufs|msdos|fat|fat32|refs|iso9660|cdfs|udf|ubifs|virtiofs|fuse\.(mergerfs|shfs|mhddfs|unionfs|zfs|exfat|ntfs|ntfs-3g|lvm2?))$/i;
/** Nobody writes to them, so they are always full. */
const ONLY_READ = /^(iso9660|cdfs|udf|squashfs|erofs|cramfs|romfs)$/i;

export const filesystem: PcGroup = {
  name: 'filesystem',
  metrics: [
    'system.filesystem.usage',
    'system.filesystem.utilization',
    'system.filesystem.limit',
    'system.filesystem.inodes.usage',
  ],
  startsProgram: 'outside Linux',
  slow: 30_000,
  configure: (keys) => {
    const filters = {
      virtual: keys.flag('virtual', false),
      readOnly: keys.flag('read_only', false),
      remote: keys.flag('remote', false),
      isExcluded: patternsOf(keys, 'exclude', []),
    };
    return (machine) => (machine.platform === 'linux' ? linuxReader(machine, filters) : otherReader(machine, filters));
  },
};

function linuxReader(machine: Machine, filters: Filters): Reader {
  /** Mounts whose program has not ended yet: another one would hang as well. */
  const hanging = new Set<string>();
  return async (signal, parts) => {
    const all = shown(parseMountinfo(await machine.read('proc/self/mountinfo')));
    const mounts = eachDeviceOnce(await folders(machine, wanted(all, filters)));
    const local: Reading[] = [];
    for (const mount of mounts.filter(({ type }) => LOCAL.test(type))) {
      local.push(...(await readMount(mount, () => machine.statfs(mount.mountpoint), parts)));
    }
    parts.keep(local);
    const others = mounts.filter(({ type }) => !LOCAL.test(type));
    const read = others.map((mount) => readMount(mount, () => statfsApart(machine, mount, hanging, signal), parts));
    return (await Promise.all(read)).flat();
  };
}

/** Without single files: containers have such ones of the host, as /etc/hosts. */
async function folders(machine: Machine, mounts: readonly Mount[]): Promise<Mount[]> {
  const are = mounts.map(async ({ isBound, type, mountpoint }) => {
    return !isBound || !LOCAL.test(type) || (await machine.isFolder(mountpoint));
  });
  const known = await Promise.all(are);
  return mounts.filter((_mount, index) => known[index]);
}

/** Nothing of one that is gone meanwhile or cannot be read; the latter is said. */
async function readMount(mount: Mount, statfs: () => Promise<StatFs>, parts: Parts): Promise<Reading[]> {
  try {
    const stat = await statfs();
    return stat.blocks > 0 ? spaceReadings(mount, spaceOf(stat)) : [];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') parts.reject(mount.mountpoint, reasonOf(error));
    return [];
  }
}

/** Asks once at a time: a second program would hang as the first one does. */
function statfsApart(
  machine: Machine,
  { mountpoint }: Mount,
  hanging: Set<string>,
  signal: AbortSignal,
): Promise<StatFs> {
  if (hanging.has(mountpoint)) return Promise.reject(new Error('still hangs'));
  hanging.add(mountpoint);
  return patiently(signal, (patience) =>
    machine.statfsApart(mountpoint, patience).finally(() => hanging.delete(mountpoint)),
  );
}

/** Some file systems tell more free than they have, or more than that is available. */
function spaceOf({ bsize, blocks, bfree, bavail, files, ffree }: StatFs): Space {
  const free = within(bfree, blocks);
  const available = within(bavail, free);
  return {
    size: blocks * bsize,
    used: (blocks - free) * bsize,
    available: available * bsize,
    reserved: (free - available) * bsize,
    ...(files > 0 && { inodes: { all: files, free: within(ffree, files) } }),
  };
}

const within = (part: number, whole: number): number => Math.max(0, Math.min(part, whole));

function otherReader(machine: Machine, filters: Filters): Reader {
  return async () => {
    const spaces = new Map<Mount, Space>();
    for (const { fs, mount, type, rw, size, ...stat } of await machine.si.fsSize()) {
      // Where it is not known whether something can be written, rw is null.
      const of = { device: fs, mountpoint: mount, type, readOnly: rw === false, id: fs, isBound: false };
      const used = within(stat.used, size);
      if (size > 0) spaces.set(of, { size, used, available: within(stat.available, size - used) });
    }
    // What macOS mounts for reading is the system itself, of a volume whose space another one tells.
    const own = [...spaces.keys()].filter(({ readOnly }) => !readOnly || filters.readOnly);
    return eachDeviceOnce(wanted(own, filters)).flatMap((mount) => spaceReadings(mount, spaces.get(mount) as Space));
  };
}

const wanted = (mounts: readonly Mount[], filters: Filters): Mount[] =>
  mounts.filter(({ mountpoint, type, readOnly }) => {
    if (readOnly && ONLY_READ.test(type) && !filters.readOnly) return false;
    if (REMOTE.test(type) ? !filters.remote : !isReal(mountpoint, type, readOnly) && !filters.virtual) return false;
    return !filters.isExcluded(mountpoint);
  });

function eachDeviceOnce(mounts: readonly Mount[]): Mount[] {
  const seen = new Set<string>();
  return mounts.filter(({ id }) => {
    const known = seen.size;
    seen.add(id);
    return seen.size > known;
  });
}

/** The root of a container is an overlay; one that cannot be written is the image of an operating system, and always full. */
const isReal = (mountpoint: string, type: string, readOnly: boolean): boolean =>
  REAL.test(type) || (mountpoint === '/' && !readOnly);

function spaceReadings(mount: Mount, { size, used, available, reserved, inodes }: Space): Reading[] {
  const labels = {
    'system.device': mount.device,
    'system.filesystem.mountpoint': mount.mountpoint,
    'system.filesystem.type': mount.type,
    'system.filesystem.mode': mount.readOnly ? 'ro' : 'rw',
  };
  const usage = { used, free: available, ...(reserved !== undefined && { reserved }) };
  // As df: of what an ordinary user could fill.
  const share = used + available > 0 ? used / (used + available) : 0;
  const readings: Reading[] = [
    { metricName: 'system.filesystem.limit', labels, value: size },
    { metricName: 'system.filesystem.utilization', labels, value: share },
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
