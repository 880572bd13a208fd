import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { SampleStore, SeriesSamples } from '@device-metrics/storage';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { apiConfig } from '../dist/settings.js';
import { DeviceRhythms } from '../dist/devices/device-rhythms.js';
import { createServer } from '../dist/create-server.js';
import { ReportsController } from '../dist/reporting/reports.controller.js';
import { MetricDescriptions } from '../dist/metadata/metric-descriptions.js';
import { METADATA_STORE } from '../dist/metadata/metadata-store.token.js';
import { SeriesEnds } from '../dist/metadata/series-ends.js';
import { SAMPLE_STORE } from '../dist/sample-store.token.js';

const series = [1, 2].map((id) => ({ id, deviceName: 'pc', metricName: `m${id}`, unit: null, labels: {} }));
const summary = { count: 100_000, min: 0, max: 1, sum: 1, first: 0, firstTime: 0, last: 1, lastTime: 1 };

const numbers = Array.from({ length: 100_000 }, (_, index) => index);
const table = (one = series[0]!): SeriesSamples => ({ series: one, timestamps: numbers, values: numbers });

/** What the store does when it is read. */
let read: () => AsyncGenerator<SeriesSamples>;
const store = {
  findSeries: async () => series,
  summarize: async () => series.map((one) => ({ series: one, summary })),
  readSamples: () => read(),
  tiers: async () => [],
} as unknown as SampleStore;

let app: NestFastifyApplication;
const log: string[] = [];
beforeAll(async () => {
  const module = Module({
    controllers: [ReportsController],
    providers: [
      DeviceRhythms,
      SeriesEnds,
      MetricDescriptions,
      { provide: METADATA_STORE, useValue: { ends: async () => [], descriptions: async () => [] } },
      { provide: SAMPLE_STORE, useValue: store },
      { provide: apiConfig.KEY, useValue: { maxQuerySamples: Infinity } },
    ],
  });
  class TestModule {}
  module(TestModule);
  app = await createServer(TestModule);
  const keep = (message: unknown): void => void log.push(String(message));
  app.useLogger({ log: keep, warn: keep, error: keep });
  await app.listen(0, '127.0.0.1');
});
afterAll(() => app.close());

const open = async (query: string): Promise<IncomingMessage> => {
  const url = await app.getUrl();
  return new Promise((resolve, reject) => {
    get(`${url}/api/v1/reports/metrics/pc?${query}`, resolve).on('error', reject);
  });
};

it.each(['json', 'csv', 'ndjson', 'xlsx'])(
  'an error in the middle of %s cuts the connection, so that nobody takes it for the whole, and is logged',
  async (format) => {
    log.length = 0;
    read = async function* () {
      yield table();
      throw new Error('the disk is gone');
    };
    const answer = await open(`format=${format}`);
    await expect(answer.toArray()).rejects.toThrow('aborted');
    expect(log.join()).toMatch(new RegExp(`pc-.*\\.${format} broke off: .*the disk is gone`, 's'));
  },
);

it('an error before the first page is a 500', async () => {
  read = () => {
    throw new Error('the disk is gone');
  };
  const answer = await open('limit=10&format=csv');
  expect(answer.statusCode).toBe(500);
  expect(answer.headers['content-type']).toContain('application/problem+json');
  answer.resume();
});

it.each(['json', 'csv', 'ndjson', 'xlsx'])(
  'a client that goes away in the middle of %s ends the reading',
  async (format) => {
    let tables = 0;
    let ended = false;
    log.length = 0;
    read = async function* () {
      try {
        for (;;) {
          tables += 1;
          yield table();
        }
      } finally {
        ended = true;
      }
    };
    const answer = await open(`format=${format}`);
    await once(answer, 'data');
    // The first parts of a workbook come before its rows.
    while (tables === 0) await sleep(1);
    expect(ended).toBe(false);
    answer.destroy();
    while (!ended) await sleep(5);
    const then = tables;
    await sleep(100);
    expect(tables).toBe(then);
    // It is no failure of the server.
    expect(log).toEqual([]);
  },
);

it('a client that does not read makes the reading wait', async () => {
  let tables = 0;
  read = async function* () {
    for (;;) {
      tables += 1;
      yield table();
    }
  };
  const answer = await open('format=csv');
  answer.socket.pause();
  // Sockets hold some megabytes, a table is four.
  let then: number;
  do {
    then = tables;
    await sleep(500);
  } while (tables !== then || then === 0);
  expect(then).toBeLessThan(20);
  answer.destroy();
});
