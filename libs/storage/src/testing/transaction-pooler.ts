import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Authentication is done, and a statement may come; as the protocol of PostgreSQL has it. */
const WELCOME = Buffer.from('520000000800000000' + '5a0000000549', 'hex');
const READY = 'Z'.charCodeAt(0);
const IDLE = 'I'.charCodeAt(0);

/** The whole messages at the beginning of bytes. */
function* messagesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at + 5 <= bytes.length;) {
    const end = at + 1 + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) return;
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** What comes between PostgreSQL and its clients, as PgBouncer in transaction mode: all share one connection, transaction by transaction. */
export async function startTransactionPooler(url: string): Promise<{ port: number; close(): Promise<void> }> {
  const { hostname, port, pathname, username } = new URL(url);
  const server = connect(Number(port), hostname);
  const names = Buffer.from(`user\0${username}\0database\0${pathname.slice(1)}\0client_encoding\0UTF8\0\0`);
  const startup = Buffer.alloc(8);
  startup.writeUInt32BE(startup.length + names.length);
  startup.writeUInt32BE(196_608, 4);
  server.write(Buffer.concat([startup, names]));
  const clients = new Set<Socket>();
  const waiting: { readonly client: Socket; readonly bytes: Buffer }[] = [];
  let owner: Socket | undefined;
  let isReady = false;
  const serve = (): void => {
    if (!isReady) return;
    const at = waiting.findIndex(({ client }) => !owner || client === owner);
    if (at < 0) return;
    const [{ client, bytes }] = waiting.splice(at, 1);
    owner = client;
    isReady = false;
    server.write(bytes);
  };
  let held = Buffer.alloc(0);
  server.on('data', (chunk) => {
    held = Buffer.concat([held, chunk]);
    for (const message of messagesOf(held)) {
      held = held.subarray(message.length);
      owner?.write(message);
      if (message[0] !== READY) continue;
      isReady = true;
      if (message[5] === IDLE) owner = undefined;
      serve();
    }
  });
  const pooler = createServer((client) => {
    clients.add(client);
    client.on('error', () => undefined);
    client.once('data', () => {
      client.write(WELCOME);
      client.on('data', (bytes) => {
        // Each of these asks for an answer, but for the farewell.
        if (bytes[0] === 'X'.charCodeAt(0)) return;
        waiting.push({ client, bytes });
        serve();
      });
    });
  });
  pooler.listen(0, '127.0.0.1');
  await once(pooler, 'listening');
  return {
    port: (pooler.address() as AddressInfo).port,
    close: async () => {
      server.destroy();
      for (const client of clients) client.destroy();
      await new Promise((resolve) => pooler.close(resolve));
    },
  };
}
