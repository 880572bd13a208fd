import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
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

it('where memory is short nobody waits for ever for readers that take nothing, or little', async () => {
  for (const limits of [{ unread: 20 }, { slow: 40 }]) {
    const line = new ReportLine({ ...LINE_LIMITS, ...limits }, () => true);
    const begun: number[] = [];
    const ask = async (index: number): Promise<Socket> => {
      const [socket, response] = [new EventEmitter() as Socket, new EventEmitter() as ServerResponse];
      const destroy = (): void => {
        Object.assign(socket, { destroyed: true });
        response.emit('close');
      };
      Object.assign(socket, { destroy, bytesWritten: 0 });
      Object.assign(response, { writableNeedDrain: true });
      void line.turn(socket, response).then(() => begun.push(index));
      await turn();
      return socket;
    };
    const first = await ask(0);
    // Nobody waits for it.
    for (let look = 0; look < 10; look += 1, await sleep(10)) line.check();
    expect(first.destroyed).not.toBe(true);
    await ask(1);
    let taken = 0;
    while (begun.length < 2) {
      if ('slow' in limits) Object.assign(first, { bytesWritten: (taken += 1) });
      line.check();
      await sleep(10);
    }
    expect([begun, first.destroyed]).toEqual([[0, 1], true]);
  }
});
