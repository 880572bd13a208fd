import { connect, type Socket } from 'node:net';

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
  let received = 0;
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received > maxBytes) socket.destroy(new Error(`the answer is longer than ${maxBytes} bytes`));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    // It stays on: an error that nobody listens to would end the collector.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reject(new Error(error.message || error.code || `no connection to ${host}:${port}`));
    });
    if (signal.aborted) abort();
  });
  return socket;
}
