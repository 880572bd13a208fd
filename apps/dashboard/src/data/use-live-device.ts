import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { listen } from '../api.js';
import { liveKey } from './use-report.js';

/** How often charts take up what is new, at the most, ms. */
const EVERY = 2_000;

/** Has the charts of a device ask for their newest steps when the live stream says that there is something new. */
export function useLiveDevice(device: string, live: boolean): void {
  const client = useQueryClient();
  useEffect(() => {
    if (!live) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const renew = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        if (document.visibilityState === 'visible') void client.invalidateQueries({ queryKey: liveKey(device) });
      }, EVERY);
    };
    const stop = listen({ device_name: device }, renew, renew);
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [client, device, live]);
}
