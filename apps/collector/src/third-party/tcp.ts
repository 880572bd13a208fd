import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { networkProblem } from './network-problem.js';
import { tlsOptions, type TlsTrust } from './tls-trust.js';

export interface TcpTarget {
  readonly host: string;
  readonly port: number;
}

/**
 * A connection that the signal cuts, and that cuts itself when the peer has sent more than `maxBytes`.
 *
 * @throws Error with a reason when there is no connection.
 */
export async function openTcp({ host, port }: TcpTarget, maxBytes: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port });
  const abort = (): void => void socket.destroy(new Error('given up'));
  signal.addEventListener('abort', abort);
  socket.on('close', () => signal.removeEventListener('abort', abort));
  limit(socket, maxBytes);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    // It stays on: an error that nobody listens to would end the collector.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reject(new Error(networkProblem(error)));
    });
    if (signal.aborted) abort();
  });
  return socket;
}

/**
 * The same connection, with TLS from here on. Nobody may listen to the data of the plain one any more.
 *
 * @throws Error with a reason, as that the certificate is not known.
 */
export async function startTls(
  plain: Socket,
  { host }: TcpTarget,
  trust: TlsTrust,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Socket> {
  plain.removeAllListeners('data');
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = connectTls({ socket: plain, host, ...name, ...tlsOptions(trust) });
  const abort = (): void => void socket.destroy(new Error('given up'));
  signal.addEventListener('abort', abort);
  socket.on('close', () => signal.removeEventListener('abort', abort));
  limit(socket, maxBytes);
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.on('error', (error: Error) => reject(new Error(`no TLS: ${networkProblem(error)}`)));
    socket.once('close', () => reject(new Error('no TLS: the connection was cut')));
  });
  return socket;
}

function limit(socket: Socket, maxBytes: number): void {
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received > maxBytes) socket.destroy(new Error(`the answer is longer than ${maxBytes} bytes`));
  });
}
