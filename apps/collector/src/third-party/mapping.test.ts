import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { parseMapping, readingsOf } from './mapping.js';

const answer = JSON.stringify({ name: `${'a'.repeat(40)}!`, values: [1, 2, 3] });
const reading = (test: string): string => `{"metric_name": "m", "value": ${test} ? 1 : 0}`;

it('a regular expression that backtracks fails in its time and holds up nothing; the next mapping works', async () => {
  const backtracks = parseMapping(reading('$match(name, /^(a+)+$/)'), 300);
  const matches = parseMapping(reading('$contains(name, /^a+!$/)'), 60_000);
  const hidden = parseMapping(reading(`$eval("$match(name, /^(a+)+$/)", $)`), 300);
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 20);
  const failed = readingsOf(answer, backtracks);
  const waiting = readingsOf(answer, matches);
  await expect(failed).rejects.toThrow('takes longer than 0.3 s');
  expect(turns).toBeGreaterThan(0);
  expect(await waiting).toEqual([{ metricName: 'm', value: 1 }]);
  await expect(readingsOf(answer, hidden)).rejects.toThrow('takes longer than');
  expect(await readingsOf(answer, matches)).toEqual([{ metricName: 'm', value: 1 }]);
  clearInterval(timer);
  await sleep(0);
});

it('what an expression with a regular expression says of a mistake comes through', async () => {
  await expect(readingsOf(answer, parseMapping('$replace(name, /(x*)/, "y")'))).rejects.toThrow(
    'does not fit the answer',
  );
  await expect(readingsOf(answer, parseMapping('values[$string($) ~> /9/]'))).rejects.toThrow('finds nothing');
});
