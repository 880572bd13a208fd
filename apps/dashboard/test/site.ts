import { Server, temporaryFolder } from '../../api/test/server.js';
import { freePort } from '../../../libs/storage/src/testing/free-port.mjs';

/** A real api with a database of its own. */
export interface Site {
  server: Server;
  readonly url: string;
  /** Ends the api, and starts it again at the same address. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  readonly end: () => Promise<void>;
}

export async function startSite(): Promise<Site> {
  const folder = await temporaryFolder();
  const settings = { DATABASE_PATH: `${folder.path}/metrics.db`, PORT: String(await freePort()) };
  const site = { server: await Server.start(settings) } as Site;
  const { url } = site.server;
  return Object.assign(site, {
    url,
    stop: async () => void (await site.server.stop()),
    start: async () => {
      site.server = await Server.start(settings);
    },
    end: async () => {
      await site.server.stop();
      await folder.remove();
    },
  });
}

/** One reading, `secondsAgo`. */
export async function send(
  site: Site,
  device_name: string,
  readings: readonly (readonly [metric: string, value: number, labels?: Record<string, string>, unit?: string])[],
  secondsAgo = 0,
): Promise<void> {
  const timestamp = Date.now() - secondsAgo * 1000;
  const metrics = readings.map(([metric_name, value, labels = {}, unit]) => {
    return { device_name, metric_name, value, labels, timestamp, ...(unit !== undefined && { unit }) };
  });
  const { status, body } = await site.server.post('/api/v1/aggregator/metrics/batch', { metrics });
  if (status !== 200 || body.rejected.length > 0) throw new Error(JSON.stringify(body));
}
