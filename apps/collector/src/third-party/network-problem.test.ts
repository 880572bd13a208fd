import { connect } from 'node:net';
import { expect, it } from '@jest/globals';
import { TcpPeer } from '../../test/third-party/device.js';
import { networkProblem } from './network-problem.js';

const failure = (host: string, port: number): Promise<string> =>
  new Promise((resolve) => connect({ host, port }).on('error', (error) => resolve(networkProblem(error))));

it('says what to look at', async () => {
  const peer = await new TcpPeer(() => undefined).start();
  await peer.stop();
  expect(await failure('127.0.0.1', peer.port)).toBe(`nothing listens at 127.0.0.1:${peer.port} (ECONNREFUSED)`);
  expect(await failure('localhost', peer.port)).toMatch(/^nothing listens at .+ \(ECONNREFUSED\)$/);
  expect(await failure('no-such-host.invalid', 1)).toBe('the name no-such-host.invalid is not known here (ENOTFOUND)');
  const unreachable = new Error('connect EHOSTUNREACH 192.0.2.1:502');
  expect(networkProblem(unreachable)).toBe(
    'nothing answers at 192.0.2.1:502: is it on, and in this network? (EHOSTUNREACH)',
  );
  expect(networkProblem(new Error('self-signed certificate'))).toBe('self-signed certificate');
  expect(networkProblem(new Error('Parse Error: Missing expected CR after response line'))).toBe(
    'its answer breaks the rules of HTTP (Missing expected CR after response line); with lenient: true it is read all the ' +
      'same where that can be done',
  );
  expect(networkProblem(Object.assign(new Error(), { code: 'ECONNREFUSED' }))).toContain('nothing listens');
});
