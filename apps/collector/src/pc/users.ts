import type { PcGroup } from './group.js';
import type { Machine } from './machine.js';

/** How many people are logged in: whoever has several sessions counts once, and a session of no person does not count. */
export const users: PcGroup = {
  name: 'users',
  metrics: ['system.user.count'],
  startsProgram: 'outside Linux',
  slow: 60_000,
  configure: () => (machine) => async () => {
    const names = machine.platform === 'linux' ? await loggedIn(machine) : await loggedInElsewhere(machine);
    return names ? [{ metricName: 'system.user.count', value: names.size }] : [];
  },
};

/** By utmp and by systemd's sessions: newer systems have the latter only, and some logins are in the former only. */
async function loggedIn(machine: Machine): Promise<Set<string> | undefined> {
  const utmp = await machine.readBytes('var/run/utmp').catch(() => undefined);
  const hasSystemd = (await machine.list('run/systemd')).length > 0;
  if (!utmp && !hasSystemd) return undefined;
  const names = new Set<string>();
  for (const { user, pid } of utmp ? parseUtmp(utmp) : []) {
    // A session that broke off leaves its record.
    if (pid <= 0 || machine.isRunning(pid)) names.add(user);
  }
  for (const session of await machine.list('run/systemd/sessions')) {
    // Beside each there is a pipe, `<session>.ref`.
    if (session.includes('.')) continue;
    const user = personOf(await machine.read(`run/systemd/sessions/${session}`).catch(() => ''));
    if (user !== undefined) names.add(user);
  }
  return names;
}

/** The user of a session that systemd keeps; undefined for the login screen, background jobs and one that has ended. */
export function personOf(session: string): string | undefined {
  const value = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(session)?.[1];
  const isPerson = (value('CLASS') ?? 'user').startsWith('user') && value('STATE') !== 'closing';
  return isPerson ? (value('USER') ?? value('UID')) : undefined;
}

const USER_PROCESS = 7;
const LARGEST_TYPE = 9;

/** A login of utmp(5). */
export interface Login {
  readonly user: string;
  readonly pid: number;
}

/**
 * The logins of a file of utmp(5). A record has 384 bytes, or 400 where its times have 64 bits, as on ARM and RISC-V; its
 * numbers are in the order of the processor. The file tells which: only in its own layout every record has a type.
 */
export function parseUtmp(utmp: Buffer): Login[] {
  const layouts = [384, 400].flatMap((size) => [true, false].map((little) => recordsOf(utmp, size, little)));
  const used = (records: readonly UtmpRecord[]): number => records.filter(({ type }) => type !== 0).length;
  const [records = []] = layouts.sort((a, b) => used(b) - used(a));
  return records.filter(({ type, user }) => type === USER_PROCESS && user !== '');
}

interface UtmpRecord extends Login {
  readonly type: number;
}

/** None where the file has another layout. */
function recordsOf(utmp: Buffer, size: number, littleEndian: boolean): UtmpRecord[] {
  const records: UtmpRecord[] = [];
  for (let start = 0; start + size <= utmp.length; start += size) {
    const type = littleEndian ? utmp.readInt16LE(start) : utmp.readInt16BE(start);
    const pid = littleEndian ? utmp.readInt32LE(start + 4) : utmp.readInt32BE(start + 4);
    if (type < 0 || type > LARGEST_TYPE) return [];
    const name = utmp.subarray(start + 44, start + 76);
    const end = name.indexOf(0);
    records.push({ type, pid, user: name.toString('utf8', 0, end === -1 ? name.length : end) });
  }
  return records;
}

/** Without the accounts that the system itself logs in. */
async function loggedInElsewhere({ si, platform }: Machine): Promise<Set<string>> {
  const system = platform === 'win32' ? /^(DWM|UMFD)-\d+$/i : /^_/;
  return new Set((await si.users()).map(({ user }) => user).filter((user) => user !== '' && !system.test(user)));
}
