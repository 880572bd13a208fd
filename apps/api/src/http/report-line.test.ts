import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import { LINE_LIMITS, ReportLine } from './report-line.js';

it('while memory is short a report begins only once no other is under way, read or not', async () => {
  let isShort = false;
  const line = new ReportLine({ ...LINE_LIMITS, atOnce: 3 }, () => isShort);
  let begun = 0;
  const ask = async (): Promise<ServerResponse> => {
    const [socket, response] = [new EventEmitter() as Socket, new EventEmitter() as ServerResponse];
    // Its reader takes nothing.
    Object.assign(response, { writableNeedDrain: true });
    void line.turn(socket, response).then(() => (begun += 1));
    await turn();
    return response;
  };
  const first = await ask();
  isShort = true;
  const second = await ask();
  for (let look = 0; look < 3; look += 1) line.check();
  await turn();
  expect(begun).toBe(1);

  first.emit('close');
  await turn();
  expect(begun).toBe(2);
  const third = await ask();
  isShort = false;
  line.check();
  await turn();
  expect(begun).toBe(3);
  second.emit('close');
  third.emit('close');
});
