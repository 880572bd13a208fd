/** A file system at a place of the tree. */
export interface Mount {
  readonly device: string;
  readonly mountpoint: string;
  readonly type: string;
  /** Whether nobody can write to the file system, wherever it is mounted. */
  readonly readOnly: boolean;
  /** `major:minor` of the device; the same for every mount of it. */
  readonly id: string;
  /** Whether it shows a part of the file system only. */
  readonly isBound: boolean;
}

interface LinuxMount extends Mount {
  readonly mountId: string;
  readonly parentId: string;
}

/** The mounts of /proc/self/mountinfo in its order; see proc_pid_mountinfo(5). */
export function parseMountinfo(text: string): LinuxMount[] {
  return text.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ');
    const [mountId = '', parentId = '', id = '', root = '', mountpoint = ''] = left.split(' ');
    const [type = '', device = '', superOptions = ''] = right.split(' ');
    if (mountpoint === '' || type === '') return [];
    return [
      {
        mountId,
        parentId,
        id,
        type,
        device: unescape(device),
        mountpoint: unescape(mountpoint),
        // The options of the file system, not of this mount: a service may be kept from writing to what is in order.
        readOnly: superOptions.split(',').includes('ro'),
        isBound: root !== '/',
      },
    ];
  });
}

/** The kernel writes space, tab, line feed and backslash in names as `\040`, `\011`, `\012` and `\134`. */
const unescape = (name: string): string =>
  name.replace(/\\([0-7]{3})/g, (_whole, octal: string) => String.fromCharCode(parseInt(octal, 8)));

/**
 * The mounts that a path leads to: of several at one place the last, and none below a place where another was mounted
 * later. Those of whole file systems come before those of parts of them, and the root before all.
 */
export function shown(mounts: readonly LinuxMount[]): Mount[] {
  const top = new Map(mounts.map((mount) => [mount.mountpoint, mount]));
  const byId = new Map(mounts.map((mount) => [mount.mountId, mount]));
  const isShown = (mount: LinuxMount): boolean => {
    if (top.get(mount.mountpoint) !== mount) return false;
    const ancestors = ancestorsOf(mount, byId);
    return foldersAbove(mount.mountpoint).every((folder) => {
      const over = top.get(folder);
      return over === undefined || ancestors.has(over);
    });
  };
  const rank = ({ mountpoint, isBound }: Mount): number => (mountpoint === '/' ? 0 : isBound ? 2 : 1);
  return mounts.filter(isShown).sort((a, b) => rank(a) - rank(b));
}

function ancestorsOf(mount: LinuxMount, byId: ReadonlyMap<string, LinuxMount>): Set<LinuxMount> {
  const ancestors = new Set<LinuxMount>();
  let parent = byId.get(mount.parentId);
  while (parent && !ancestors.has(parent)) {
    ancestors.add(parent);
    parent = byId.get(parent.parentId);
  }
  return ancestors;
}

/** Of `/a/b/c`: `/a/b` and `/a`. */
function foldersAbove(path: string): string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_part, index) => `/${parts.slice(0, index + 1).join('/')}`);
}
