import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HOUR } from '@device-metrics/domain';
import { Server, temporaryFolder } from './server.js';

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const START = Math.floor(Date.now() / HOUR) * HOUR - 20 * HOUR;

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await Server.start({
    DATABASE_PATH: join(folder.path, 'metrics.db'),
    QUERY_MAX_SAMPLES: '1000',
  });
  const samples = Array.from({ length: 1200 }, (_, index) => [START + index * 60_000, index]);
  await server.post('/api/v1/aggregator/metrics/batch/', [{ device_name: 'pc', metric_name: 'load', samples }]);
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

const range = `start_time=${START}&end_time=${START + 20 * HOUR}`;

describe('an answer that would read too many samples is refused, with what would fit:', () => {
  const summaries = 'step=1h, or another whole number of hours, reads none, or ask for about 16h at a time';
  const others = 'all but percentiles with step=1h read none, or ask for about 16h at a time';
  it.each([
    ['metrics/pc?', 'step=1h reads none, and pages by limit read what they carry, or ask for about 16h at a time'],
    ['metrics/pc?format=csv&', 'step=1h reads none'],
    ['metrics/pc?step=1m&', summaries],
    ['metrics/pc?step=1h&aggregation=mean,p95&', others],
    ['metrics/pc?step=30m&aggregation=rate&', summaries],
    ['compare?metric_name=load&step=1m&', summaries],
    ['summary?quantile=p95&', 'ask for fewer metrics or devices, or ask for about 16h at a time'],
  ])('%s', async (path, advice) => {
    const { status, body } = await server.get(`/api/v1/reports/${path}${range}`);
    expect(status).toBe(400);
    expect(body.detail).toContain(
      'must keep this answer within 1000 samples (QUERY_MAX_SAMPLES), but it would read 1200:',
    );
    expect(body.detail).toContain(advice);
  });
});

it.each([
  'metrics/pc?step=1h&',
  'metrics/pc?step=1h&aggregation=rate,mean&',
  'metrics/pc?limit=1000&',
  'compare?metric_name=load&step=1h&',
  'summary?',
])('%s fits', async (path) => {
  expect((await server.get(`/api/v1/reports/${path}${range}`)).status).toBe(200);
});

it('as long as the refusal says fits', async () => {
  const { status } = await server.get(`/api/v1/reports/metrics/pc?start_time=${START}&end_time=${START + 16 * HOUR}`);
  expect(status).toBe(200);
});
