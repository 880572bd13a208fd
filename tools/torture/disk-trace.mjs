/** What strace saw of a process, and what would be on the disk if the power had failed at some moment of it. */
import { createReadStream, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';

/** What has to be put before a command. */
export const tracing = (path) => [
  ...['strace', '-f', '--seccomp-bpf', '-qq', '-y', '-xx', '-s', '16777216', '-o', path],
  ...['-e', 'trace=write,writev,pwrite64,pwritev,fsync,fdatasync,ftruncate'],
];

const SECTOR = 512;
const CALL = /^(\d+) +(\w+)\((\d+)<((?:\\x..|[^>])*)>(.*)$/;
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>/;

/** The files of a folder as the disk has them, and the writes that it may still lose. */
export class Disk {
  constructor(folder) {
    this.folder = folder;
    this.files = new Map(
      readdirSync(folder).map((name) => [name, { durable: readFileSync(join(folder, name)), pending: [] }]),
    );
  }

  fileOf(path) {
    const name = basename(path);
    if (!path.startsWith(this.folder) || name.endsWith('-shm')) return undefined;
    if (!this.files.has(name)) this.files.set(name, { durable: Buffer.alloc(0), pending: [] });
    return this.files.get(name);
  }

  write(path, offset, data) {
    this.fileOf(path)?.pending.push({ offset, data });
  }

  truncate(path, size) {
    this.fileOf(path)?.pending.push({ size });
  }

  sync(path) {
    const file = this.fileOf(path);
    if (!file) return;
    for (const one of file.pending) file.durable = apply(file.durable, one);
    file.pending = [];
  }

  /** Writes what a power failure leaves: all that was synced, and of the rest some, perhaps torn. */
  fail(folder, pick) {
    for (const [name, { durable, pending }] of this.files) {
      let content = Buffer.from(durable);
      for (const one of pending) {
        if (pick(2) === 0) continue;
        const torn = one.data && pick(4) === 0 ? pick(Math.ceil(one.data.length / SECTOR)) * SECTOR : Infinity;
        content = apply(content, one.data ? { ...one, data: one.data.subarray(0, torn) } : one);
      }
      writeFileSync(join(folder, name), content);
    }
  }
}

function apply(content, { offset, data, size }) {
  if (size !== undefined)
    return Buffer.concat([content.subarray(0, size), Buffer.alloc(Math.max(0, size - content.length))]);
  const end = offset + data.length;
  const whole = end > content.length ? Buffer.concat([content, Buffer.alloc(end - content.length)]) : content;
  data.copy(whole, offset);
  return whole;
}

/**
 * Goes through a trace, and calls `act` after each answer 200 that went to a client, with how many these are.
 *
 * @param isAnswer whether bytes that were written tell somebody that something is safe.
 */
export async function replay(path, disk, isAnswer, act) {
  const unfinished = new Map();
  let answers = 0;
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const resumed = RESUMED.exec(line);
    let call = CALL.exec(resumed ? (unfinished.get(resumed[1]) ?? '') : line);
    if (!call) continue;
    if (!resumed && line.endsWith('<unfinished ...>')) {
      // What is written may be on its way before the call ends; what is synced is so at its end.
      unfinished.set(call[1], line);
      if (call[2].includes('sync')) continue;
    } else if (resumed && !call[2].includes('sync')) continue;
    const [, , name, , fd, rest] = call;
    const target = text(fd);
    if (name === 'fsync' || name === 'fdatasync') disk.sync(target);
    else if (name === 'ftruncate') disk.truncate(target, Number(/^, (\d+)/.exec(rest)?.[1]));
    else if (name === 'pwrite64' && disk.fileOf(target)) {
      const [, data, offset] = /^, "((?:\\x..)*)", \d+, (\d+)/.exec(rest);
      disk.write(target, Number(offset), bytes(data));
    } else if (/^(socket|TCP|pipe)/.test(target)) {
      const written = [...rest.matchAll(/"((?:\\x..)*)"/g)].map(([, one]) => bytes(one).toString('latin1')).join('');
      if (isAnswer(written)) await act((answers += 1));
    }
  }
  return answers;
}

const bytes = (hex) => Buffer.from(hex.replaceAll('\\x', ''), 'hex');
const text = (path) => (path.startsWith('\\x') ? bytes(path).toString() : path);
