import { deviceNameRule, toRfc3339 } from '@device-metrics/domain';
import type { StoredCollector } from '@device-metrics/storage';
import { acceptAsMoved, acceptAsNew, dismiss, isThere } from '../access/collectors/join.js';
import type { Command, Work } from './command.js';
import { checked, note, UsageError } from './usage.js';

const list: Command = {
  usage: 'collector list                 show the collectors that have joined',
  args: [0, 0],
  run: async ({ store, print }) => {
    const collectors = await store.collectors.all();
    if (collectors.length === 0) print('No collector has joined');
    for (const { id, deviceName, name, state, address, seenAt } of collectors) {
      const own = name === deviceName ? '' : ` (calls itself ${name})`;
      print(`${id}  ${state.padEnd(8)}  ${deviceName}${own}, from ${address}, last seen ${toRfc3339(seenAt)}`);
    }
  },
};

const acceptNew: Command = {
  usage: 'collector new <id> <name>      say that a collector in conflict is a new device, called <name>',
  args: [2, 2],
  run: async (work) => {
    const { store, args, print } = work;
    const { id } = await inConflict(work);
    const name = checked('<name>', args[1] ?? '', deviceNameRule);
    if (!(await acceptAsNew(store, id, name))) throw new UsageError(`The device ${name} belongs to another collector`);
    await note(work, 'collector.decide', name, { id, decision: 'new' });
    print(`${id} is ${name} from now on`);
  },
};

const acceptSame: Command = {
  usage: 'collector same <id>            say that a collector in conflict is the same device, moved to another machine',
  args: [1, 1],
  run: async (work) => {
    const collector = await inConflict(work);
    await acceptAsMoved(work.store, collector, work.now);
    await note(work, 'collector.decide', collector.deviceName, { id: collector.id, decision: 'same' });
    work.print(`${collector.id} is ${collector.deviceName} from now on`);
  },
};

const revoke: Command = {
  usage: 'collector revoke <id>          take nothing more of a collector, until it joins again',
  args: [1, 1],
  run: async (work) => {
    const [id = ''] = work.args;
    if (!(await dismiss(work.store, id, 'revoked', work.now))) throw noCollector(id);
    await note(work, 'collector.revoke', id);
    work.print(`${id} is revoked`);
  },
};

const noCollector = (id: string): UsageError =>
  new UsageError(`There is no collector ${id} that has joined; collector list shows them`);

async function inConflict({ store, args: [id = ''] }: Work): Promise<StoredCollector> {
  const collector = await store.collectors.find(id);
  if (!collector || !isThere(collector)) throw noCollector(id);
  if (collector.state !== 'conflict') throw new UsageError(`The collector ${id} is in no conflict`);
  return collector;
}

export const collectorCommands: Readonly<Record<string, Command>> = {
  'collector list': list,
  'collector new': acceptNew,
  'collector same': acceptSame,
  'collector revoke': revoke,
};
