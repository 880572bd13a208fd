import { expect, it } from '@jest/globals';
import { DiskWatch } from './disk-watch.js';

it('a disk that fails is said once, and that it does not any more once it has taken all for ten seconds', () => {
  const said: string[] = [];
  let [elapsed, isBroken] = [0, true];
  const tryToWrite = (): void => {
    if (isBroken) throw new Error('disk I/O error');
  };
  const disk = new DiskWatch(
    'metrics.db',
    tryToWrite,
    (problem) => said.push(problem),
    () => elapsed,
  );
  const seconds = (count: number): void => {
    for (let second = 0; second < count; second += 1) {
      elapsed += 1_000;
      disk.look();
    }
  };
  seconds(1);
  expect(disk.failure).toBeUndefined();

  disk.noteFailure('disk I/O error');
  disk.noteFailure('database disk image is malformed');
  seconds(60);
  isBroken = false;
  seconds(5);
  disk.noteFailure('disk I/O error');
  seconds(9);
  expect(disk.failure).toBe('disk I/O error');
  expect(said).toEqual(['metrics.db cannot be written, and senders keep their samples: disk I/O error']);
  seconds(1);
  expect(disk.failure).toBeUndefined();
  expect(said.slice(1)).toEqual(['metrics.db can be written again']);
});
