import { describe, expect, it } from '@jest/globals';
import { GroupReader, laptop, linuxWith, only, read, values } from '../../test/pc.js';
import { filesystem } from './filesystem.js';
import type { Machine, StatFs } from './machine.js';

const MOUNTPOINT = 'system.filesystem.mountpoint';
const MODE = 'system.filesystem.mode';

/** A machine with these mounts: lines of mountinfo from the mount point on, as in `/data rw - ext4 /dev/sdb1 rw`. */
function mounted(lines: readonly string[], others: Partial<Machine> = {}): Machine {
  const mountinfo = lines.map((line, index) => {
    const [mountpoint = '', ...rest] = line.split(' ');
    return `${100 + index} 1 8:${index} / ${mountpoint} ${rest.join(' ')}\n`;
  });
  return linuxWith(
    { 'proc/self/mountinfo': mountinfo.join('') },
    { statfsApart: (path) => laptop.statfs(path), ...others },
  );
}
const shown = async (machine: Machine, keys: object = {}): Promise<unknown[][]> =>
  values(await new GroupReader(filesystem, machine, keys).readings(), 'system.filesystem.limit', MOUNTPOINT, MODE).map(
    ([mountpoint, mode]) => [mountpoint, mode],
  );
const mountpoints = async (machine: Machine, keys: object = {}): Promise<unknown[]> =>
  (await shown(machine, keys)).map(([mountpoint]) => mountpoint);
const never = (): Promise<never> => new Promise(() => undefined);

describe('filesystem', () => {
  it('tells space and inodes', async () => {
    const labels =
      'system.device="/dev/nvme0n1p2",system.filesystem.mountpoint="/",system.filesystem.type="ext4",system.filesystem.mode="rw"';
    expect((await read(filesystem, laptop)).slice(0, 7)).toEqual([
      `system.filesystem.limit{${labels}} 4096000`,
      `system.filesystem.utilization{${labels}} ${400 / 900}`,
      `system.filesystem.usage{${labels},system.filesystem.state="used"} 1638400`,
      `system.filesystem.usage{${labels},system.filesystem.state="free"} 2048000`,
      `system.filesystem.usage{${labels},system.filesystem.state="reserved"} 409600`,
      `system.filesystem.inodes.usage{${labels},system.filesystem.state="used"} 25`,
      `system.filesystem.inodes.usage{${labels},system.filesystem.state="free"} 75`,
    ]);
  });

  it('leaves out virtual and remote ones, and each device but once, unless told otherwise', async () => {
    const machine = { ...laptop, statfsApart: (path: string) => laptop.statfs(path) };
    const usual = ['/', '/boot/efi', '/media/my disk', '/mnt/stick'];
    expect(await mountpoints(machine)).toEqual(usual);
    expect(await mountpoints(machine, { exclude: ['/boot/*'] })).toEqual(['/', '/media/my disk', '/mnt/stick']);
    // What has to be asked by a program comes after the others.
    expect(await mountpoints(machine, { remote: true })).toEqual([...usual, '/srv/nas']);
    expect(await mountpoints(machine, { virtual: true, read_only: true })).toEqual([
      ...['/', '/boot/efi', '/snap/core/1', '/media/my disk', '/tmp', '/mnt/stick'],
      '/proc',
    ]);
  });

  it('keeps one that has turned read-only, and says so: a failing disk must not vanish', async () => {
    const reader = (superOptions: string): Promise<unknown[][]> =>
      shown(mounted([`/data rw,relatime shared:1 - ext4 /dev/sdb1 ${superOptions}`]));
    expect(await reader('rw,errors=remount-ro')).toEqual([['/data', 'rw']]);
    expect(await reader('ro,errors=remount-ro')).toEqual([['/data', 'ro']]);
    expect(await shown(mounted(['/data ro,relatime - xfs /dev/sdb1 ro']))).toEqual([['/data', 'ro']]);
    // A service that systemd keeps from writing sees its own mounts read-only; the disk is in order.
    expect(await shown(mounted(['/ ro,relatime - ext4 /dev/sda2 rw']))).toEqual([['/', 'rw']]);
    // These were never anything else, and are always full.
    const images = ['/media/cd ro - iso9660 /dev/sr0 ro', '/snap/core/9 ro - squashfs /dev/loop1 ro'];
    expect(await shown(mounted(images))).toEqual([]);
    expect(await shown(mounted(images.slice(0, 1)), { read_only: true })).toEqual([['/media/cd', 'ro']]);
  });

  it('counts the last of several mounts at one place, and nothing that another mount hides', async () => {
    const mountinfo = [
      '20 1 8:1 / / rw - ext4 /dev/sda1 rw',
      '21 20 8:2 / /data rw - ext4 /dev/sdb1 rw',
      '22 20 8:3 / /data rw - xfs /dev/sdc1 rw',
      '23 20 8:4 / /srv/a/deep rw - ext4 /dev/sdd1 rw',
      '24 20 8:5 / /srv/a rw - ext4 /dev/sde1 rw',
      '25 24 8:6 / /srv/a/inner rw - ext4 /dev/sdf1 rw',
      '26 20 8:7 / /srv/alone rw - ext4 /dev/sdg1 rw',
    ].join('\n');
    const readings = await new GroupReader(filesystem, linuxWith({ 'proc/self/mountinfo': mountinfo })).readings();
    expect(
      values(readings, 'system.filesystem.limit', MOUNTPOINT, 'system.device').map((one) => one.slice(0, 2)),
    ).toEqual([
      ['/', '/dev/sda1'],
      ['/data', '/dev/sdc1'],
      ['/srv/a', '/dev/sde1'],
      ['/srv/a/inner', '/dev/sdf1'],
      ['/srv/alone', '/dev/sdg1'],
    ]);
  });

  it('in a container is its root, and the folders of the host, but not the files', async () => {
    const files = {
      'proc/self/mountinfo': [
        '600 500 0:60 / / rw - overlay overlay rw,lowerdir=/a,upperdir=/b',
        '601 600 0:61 / /proc rw - proc proc rw',
        '610 600 8:1 /docker/c1/resolv.conf /etc/resolv.conf rw - ext4 /dev/sda1 rw',
        '611 600 8:1 /docker/c1/hosts /etc/hosts rw - ext4 /dev/sda1 rw',
        '612 600 8:1 /srv/data /data rw - ext4 /dev/sda1 rw',
      ].join('\n'),
      'etc/hosts': '127.0.0.1 localhost',
      'etc/resolv.conf': '',
    };
    expect(await mountpoints(linuxWith(files))).toEqual(['/', '/data']);
    // The image of an operating system that is never written to is no root to watch.
    expect(await shown(mounted(['/ ro - overlay composefs ro', '/var rw - xfs /dev/sda3 rw']))).toEqual([
      ['/var', 'rw'],
    ]);
  });

  it('takes pools of disks for real ones', async () => {
    const pools = ['fuse.mergerfs', 'fuse.shfs', 'virtiofs', 'zfs', 'bcachefs'];
    const lines = [...pools, 'fuse.sshfs', 'fuse.portal', 'fuse.lxcfs', 'tmpfs'].map(
      (type) => `/${type} rw - ${type} d rw`,
    );
    expect(new Set(await mountpoints(mounted(lines)))).toEqual(new Set(pools.map((type) => `/${type}`)));
  });

  it('says which one hangs, and asks it no second time before it has answered; the others are read', async () => {
    let asked = 0;
    const statfsApart = (path: string): Promise<StatFs> => {
      if (path !== '/pool') return laptop.statfs(path);
      asked += 1;
      return never();
    };
    const lines = ['/ rw - ext4 /dev/sda1 rw', '/pool rw - fuse.mergerfs a:b rw', '/other rw - virtiofs v rw'];
    const reader = new GroupReader(filesystem, mounted(lines, { statfsApart }));
    expect(only(await reader.read(), 'system.filesystem.limit')).toHaveLength(2);
    expect(reader.rejected).toEqual(['/pool: hangs: no answer within 2 s']);
    expect(only(await reader.read(), 'system.filesystem.limit')).toHaveLength(2);
    expect([asked, reader.rejected]).toEqual([1, ['/pool: still hangs']]);
  });

  it('says which cannot be read, but not which is gone meanwhile', async () => {
    const statfs = (path: string): Promise<StatFs> => {
      const code = { '/gone': 'ENOENT', '/dead': 'EIO' }[path];
      return code === undefined
        ? laptop.statfs(path)
        : Promise.reject(Object.assign(new Error(`${code}: statfs`), { code }));
    };
    const lines = ['/gone', '/dead', '/fine'].map((path) => `${path} rw - ext4 /dev${path} rw`);
    const reader = new GroupReader(filesystem, mounted(lines, { statfs }));
    expect(only(await reader.read(), 'system.filesystem.limit')).toHaveLength(1);
    expect(reader.rejected).toEqual(['/dead: EIO: statfs']);
  });

  it('has no number that is negative or above the whole', async () => {
    // As XFS and NFS have told: more free than there is, and more available than free.
    const statfs = (): Promise<StatFs> =>
      Promise.resolve({ bsize: 1, blocks: 100, bfree: 120, bavail: 130, files: 10, ffree: 12 });
    const readings = await new GroupReader(filesystem, mounted(['/ rw - xfs /dev/sda1 rw'], { statfs })).readings();
    expect(readings.map(({ value }) => value)).toEqual([100, 0, 0, 100, 0, 0, 10]);
  });

  it('outside Linux leaves out what can only be read: of macOS that is the system itself', async () => {
    const fsSize = () =>
      Promise.resolve([
        { fs: '/dev/disk1', type: 'APFS', size: 100, used: 30, available: 70, mount: '/', rw: true },
        { fs: '/dev/disk2', type: 'APFS', size: 100, used: 100, available: 0, mount: '/System', rw: false },
      ]);
    const mac = { ...laptop, platform: 'darwin', si: { fsSize } } as unknown as Machine;
    expect(await mountpoints(mac)).toEqual(['/']);
    expect(await mountpoints(mac, { read_only: true })).toEqual(['/', '/System']);
  });
});
