import type { AlertStore } from '@device-metrics/storage';

/**
 * Messages wait in queues: one of each channel, by its name, and one of each receiver of a channel that is behind the others, so
 * that one who cannot be reached holds up nobody else. Names of channels have no line ends.
 */
export const queueOf = (channel: string, receiver: string): string => `${channel}\n${receiver}`;

export const channelOf = (queue: string): string => queue.split('\n', 1)[0] as string;

/** Whose queue it is; undefined of that of a channel. */
export const receiverOf = (queue: string): string | undefined => queue.split('\n')[1];

/** How many messages wait for each channel that any wait for, whoever of its receivers they are for. */
export async function waitingByChannel(store: AlertStore): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const [queue, messages] of await store.waiting()) {
    found.set(channelOf(queue), (found.get(channelOf(queue)) ?? 0) + messages);
  }
  return found;
}
