import { describe, expect, it } from '@jest/globals';
import { laptop, linuxWith, read } from '../../test/pc.js';
import type { Machine } from './machine.js';
import { parseUtmp, users } from './users.js';

interface UtmpRecord {
  readonly type: number;
  readonly user?: string;
  readonly pid?: number;
}

/** A file of utmp(5) as a platform writes it; everything after the name is zeros, as it is of no use here. */
function utmp(records: readonly UtmpRecord[], size: 384 | 400, littleEndian = true): Buffer {
  const file = Buffer.alloc(records.length * size);
  records.forEach(({ type, user = '', pid = 100 }, index) => {
    if (littleEndian) file.writeInt16LE(type, index * size);
    else file.writeInt16BE(type, index * size);
    if (littleEndian) file.writeInt32LE(pid, index * size + 4);
    else file.writeInt32BE(pid, index * size + 4);
    file.write(`pts/${index}`, index * size + 8);
    file.write(user, index * size + 44);
    file.write('192.0.2.1', index * size + 76);
  });
  return file;
}

const LOGINS: readonly UtmpRecord[] = [
  { type: 2, user: 'reboot', pid: 0 },
  { type: 6, user: 'LOGIN' },
  { type: 7, user: 'ada' },
  { type: 8, user: '' },
  { type: 7, user: 'grace' },
  { type: 7, user: 'ada' },
];
const session = (fields: Readonly<Record<string, string>>): string =>
  Object.entries({ UID: '1000', STATE: 'active', ...fields })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
const withUtmp = (file: Buffer, files: Readonly<Record<string, string>> = {}, others: Partial<Machine> = {}): Machine =>
  linuxWith(files, { readBytes: () => Promise.resolve(file), ...others });

describe('users', () => {
  it.each([
    ['x86 and 32-bit', 384, true],
    ['64-bit ARM and RISC-V', 400, true],
    ['64-bit PowerPC', 384, false],
    ['s390x', 400, false],
  ] as const)('are the people of utmp as %s has it, each once', async (_platform, size, littleEndian) => {
    expect(await read(users, withUtmp(utmp(LOGINS, size, littleEndian)))).toEqual(['system.user.count{} 2']);
    // 25 records of one size are 24 of the other.
    const many = Array.from({ length: size === 384 ? 25 : 24 }, (_, index) => ({ type: 7, user: `user${index}` }));
    expect(parseUtmp(utmp(many, size, littleEndian))).toHaveLength(many.length);
  });

  it('whose session has broken off are not counted', async () => {
    const isRunning = (pid: number): boolean => pid === 7;
    const file = utmp(
      [
        { type: 7, user: 'ada', pid: 7 },
        { type: 7, user: 'grace', pid: 8 },
      ],
      384,
    );
    expect(await read(users, withUtmp(file, {}, { isRunning }))).toEqual(['system.user.count{} 1']);
  });

  it('are those of systemd’s sessions where there is no utmp; login screen, jobs and what ends are no people', async () => {
    const sessions = {
      '1': session({ USER: 'gdm', UID: '120', CLASS: 'greeter' }),
      '2': session({ USER: 'ada', CLASS: 'user', TYPE: 'wayland' }),
      '3': session({ USER: 'ada', CLASS: 'user', TYPE: 'tty', REMOTE: '1' }),
      '4': session({ USER: 'root', UID: '0', CLASS: 'background' }),
      '5': session({ USER: 'grace', UID: '1001', CLASS: 'user', STATE: 'closing' }),
      '6': session({ USER: 'ada', CLASS: 'manager' }),
      '7': session({ USER: 'alan', UID: '1002', CLASS: 'user-early' }),
    };
    const files = Object.fromEntries(
      Object.entries(sessions).map(([id, text]) => [`run/systemd/sessions/${id}`, text]),
    );
    const machine = linuxWith({ ...files, 'run/systemd/sessions/2.ref': 'a pipe that blocks whoever reads it' });
    expect(await read(users, machine)).toEqual(['system.user.count{} 2']);
    // An old file of utmp beside them that nothing writes to any more.
    expect(await read(users, withUtmp(utmp([{ type: 2, user: 'reboot' }], 384), files))).toEqual([
      'system.user.count{} 2',
    ]);
  });

  it('are nobody where nobody is logged in, and unknown where nothing tells', async () => {
    expect(await read(users, linuxWith({ 'run/systemd/seats/seat0': '' }))).toEqual(['system.user.count{} 0']);
    expect(await read(users, withUtmp(Buffer.alloc(0)))).toEqual(['system.user.count{} 0']);
    expect(await read(users, linuxWith({}))).toEqual([]);
  });

  it('outside Linux are people too', async () => {
    const si = (...names: string[]): unknown => ({ users: () => Promise.resolve(names.map((user) => ({ user }))) });
    const mac = { ...laptop, platform: 'darwin', si: si('ada', 'ada', '_mbsetupuser') } as unknown as Machine;
    expect(await read(users, mac)).toEqual(['system.user.count{} 1']);
    const windows = { ...laptop, platform: 'win32', si: si('Ada', 'DWM-1', 'UMFD-0') } as unknown as Machine;
    expect(await read(users, windows)).toEqual(['system.user.count{} 1']);
  });
});
