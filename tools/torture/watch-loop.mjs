/**
 * Loaded into an api before its own code: tells its parent how long the event loop was held at a time, by the processor time
 * of its thread, so that other work on the machine does not count. Linux only.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { Session } from 'node:inspector';
import { setInterval, setTimeout } from 'node:timers';
import { isMainThread } from 'node:worker_threads';

/** How often the loop is looked at, and from when on a hold is told, ms. */
const EVERY = 5;
const WORTH_TELLING = 10;

if (isMainThread && process.send) {
  const file = openSync('/proc/thread-self/schedstat', 'r');
  const buffer = Buffer.alloc(64);
  const processorTime = () => Number.parseInt(buffer.toString('latin1', 0, readSync(file, buffer, 0, 64, 0)), 10) / 1e6;
  // What held it, where somebody wants to know.
  const profile = process.env.TORTURE_DETAIL ? profiler() : () => undefined;
  let before = processorTime();
  const timer = setInterval(() => {
    const now = processorTime();
    if (now - before > WORTH_TELLING)
      process.send({ held: now - before, by: now - before > 40 ? profile(now - before) : undefined });
    before = processorTime();
  }, EVERY);
  timer.unref();
  // Two turns later everything before has been told.
  process.on('message', () => setTimeout(() => process.send({ held: 0, answer: true }), 2 * EVERY + 1));
  process.channel.unref();
  process.once('exit', () => closeSync(file));
}

/** Gives the functions that took the most of the last milliseconds, themselves and with all that they called. */
function profiler() {
  const session = new Session();
  session.connect();
  const post = (method, params) => {
    let result;
    session.post(method, params, (_, found) => (result = found));
    return result;
  };
  post('Profiler.enable');
  post('Profiler.setSamplingInterval', { interval: 1_000 });
  post('Profiler.start');
  return (length) => {
    const { nodes, samples, timeDeltas, endTime } = post('Profiler.stop').profile;
    post('Profiler.start');
    const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
    const names = new Map(
      nodes.map(({ id, callFrame }) => [
        id,
        `${callFrame.functionName}@${callFrame.url.split('/').slice(-4).join('/')}:${callFrame.lineNumber + 1}`,
      ]),
    );
    const times = new Map();
    let at = endTime;
    for (let index = samples.length - 1; index >= 0 && endTime - at < length * 1_500; index -= 1) {
      at -= timeDeltas[index];
      const seen = new Set();
      for (let id = samples[index]; id !== undefined; id = parents.get(id)) seen.add(names.get(id));
      for (const one of seen) times.set(one, (times.get(one) ?? 0) + timeDeltas[index] / 1_000);
    }
    return [...times]
      .filter(([name]) => /dist|garbage|better|device-metrics|program/.test(name))
      .sort(([, a], [, b]) => b - a)
      .slice(0, 9)
      .map(([name, time]) => `${Math.round(time)} ${name}`);
  };
}
