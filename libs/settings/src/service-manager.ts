import { execFile } from 'node:child_process';

/** What systemd asks of a service of `Type=notify`. */
export interface ServiceManager {
  /** The service answers. From now on the watchdog is told that it is alive. */
  ready(): void;
  stopping(): void;
}

/**
 * The service manager that has started this process, by what it has put into the environment; one that does nothing where none
 * has. Messages go by the program `systemd-notify`, as Node has no datagram sockets of Unix.
 *
 * @param onFailure is told once why a message could not be sent.
 */
export function serviceManager(onFailure: (reason: string) => void, environment = process.env): ServiceManager {
  const { NOTIFY_SOCKET: socket = '', WATCHDOG_USEC: watchdog = '' } = environment;
  if (socket === '') return { ready: () => undefined, stopping: () => undefined };
  let hasFailed = false;
  const tell = (message: string): void => {
    execFile('systemd-notify', [message], { timeout: 10_000, env: environment }, (error) => {
      if (error && !hasFailed) onFailure(`systemd cannot be told ${message}: ${error.message.trim()}`);
      hasFailed ||= error !== null;
    });
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    ready: () => {
      tell('READY=1');
      const interval = Number(watchdog) / 1_000 / 3;
      // Of the main thread: where that hangs, nobody tells the watchdog, and systemd starts another process.
      if (interval > 0) timer = setInterval(() => tell('WATCHDOG=1'), interval).unref();
    },
    stopping: () => {
      clearInterval(timer);
      tell('STOPPING=1');
    },
  };
}
