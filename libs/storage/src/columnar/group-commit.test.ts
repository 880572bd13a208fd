import { beforeEach, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { GroupCommit } from './group-commit.js';

/** Longer than any test: whoever is committed before was not waited for by the clock. */
const FOR_EVER = 3_600_000;

let commits: string[][];
beforeEach(() => {
  commits = [];
});

const grouping = (patience: number): GroupCommit<string> =>
  new GroupCommit<string>(
    (items) => {
      if (items.includes('wrong')) throw new Error('one is wrong');
      commits.push([...items]);
    },
    () => true,
    patience,
  );

it('what comes in one turn of the event loop shares a commit', async () => {
  const group = grouping(FOR_EVER);

  await Promise.all([group.add('a'), group.add('b')]);

  expect(commits).toEqual([['a', 'b']]);
});

it('who comes alone again and again waits for nobody', async () => {
  const group = grouping(FOR_EVER);

  await group.add('a');
  await group.add('b');

  expect(commits).toEqual([['a'], ['b']]);
});

it('where some shared a commit, the next one waits for as many', async () => {
  const group = grouping(FOR_EVER);
  await Promise.all([group.add('a'), group.add('b')]);

  const first = group.add('c');
  await turn();
  await turn();
  await Promise.all([first, group.add('d')]);

  expect(commits).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
});

it('it does not wait for long, and after that for nobody', async () => {
  const group = grouping(1);
  await Promise.all([group.add('a'), group.add('b')]);

  await group.add('c');
  await group.add('d');

  expect(commits).toEqual([['a', 'b'], ['c'], ['d']]);
});

it('what waits for others can be committed at once', async () => {
  const group = grouping(FOR_EVER);
  await Promise.all([group.add('a'), group.add('b')]);

  const waiting = group.add('c');
  group.flush();
  await waiting;

  expect(commits).toEqual([['a', 'b'], ['c']]);
});

it('of some of which one is wrong the others are committed', async () => {
  const group = grouping(FOR_EVER);

  const answers = await Promise.allSettled(['a', 'wrong', 'b'].map((item) => group.add(item)));

  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(commits).toEqual([['a'], ['b']]);
});
