import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { answer, bodyOf, TestApi, TestFolder, TestServer, until, clientOf } from '../../test/harness.js';
import { Spool, type WireSample } from './spool.js';
import { Uploader, type UploaderOptions } from './uploader.js';

const NOW = Date.parse('2026-01-15T10:00:00Z');
const metric = (value: number, timestamp = NOW): WireSample => ({
  device_name: 'pc',
  metric_name: 'm',
  value,
  timestamp: timestamp + value,
});
const metrics = (count: number): WireSample[] => Array.from({ length: count }, (_, value) => metric(value));

let folder: TestFolder;
let api: TestApi;
let spool: Spool;
let said: string[];
let uploaders: Uploader[];
beforeEach(async () => {
  folder = new TestFolder();
  api = await new TestApi().start();
  spool = new Spool(folder.file('spool.db'), { maxBytes: Infinity, minFreeBytes: 0 }, () => undefined);
  said = [];
  uploaders = [];
});
afterEach(async () => {
  await Promise.all(uploaders.map((uploader) => uploader.stop()));
  spool.close();
  await api.stop();
  folder.remove();
});

function upload(options: Partial<UploaderOptions> = {}): Uploader {
  const client = clientOf(api.url, 'secret-token', 60_000);
  const say = (message: string): void => void said.push(message);
  const all = { backlogPerSecond: 1_000, stopWithin: 50, random: () => 0.01, ...options };
  const uploader = new Uploader(spool, (payload, signal) => client.send(payload, signal), all, { log: say, warn: say });
  uploaders.push(uploader);
  uploader.start();
  return uploader;
}

const emptied = (): Promise<void> => until(() => spool.totals().pendingBatches === 0);

describe('the uploader', () => {
  it('deletes what the api has acknowledged', async () => {
    spool.add(metrics(2_500), NOW);
    upload();
    await emptied();
    expect(api.valuesOf('m')).toEqual(metrics(2_500).map(({ value }) => value));
    expect(spool.totals()).toMatchObject({ generated: 2_500, sent: 2_500, quarantinedSamples: 0 });
  });

  it('keeps a batch of which a 2xx does not tell every sample once', async () => {
    const rejected = (...indexes: number[]): object[] =>
      indexes.map((index) => ({ index, field: 'value', reason: 'must not be' }));
    const wrong = [
      { accepted: 0 },
      { accepted: 2, rejected: [] },
      { accepted: 1, rejected: rejected(0, 0) },
      { accepted: 2, rejected: rejected(3) },
    ];
    api.instead = (_batch, response) => {
      const body = wrong.shift();
      if (body) answer(response, 200, body);
      return body !== undefined;
    };
    spool.add(metrics(3), NOW);
    upload();
    await emptied();
    expect(spool.totals()).toMatchObject({ sent: 3, quarantinedSamples: 0 });
    expect(api.valuesOf('m')).toEqual([0, 1, 2]);
    expect(said[0]).toContain('200, but it tells of 0 accepted and 0 rejected of 3 samples');
  });

  it('halves a batch that gets 400 until the culprit stands alone, and quarantines only that', async () => {
    api.instead = (batch, response) => {
      const bad = batch.some(({ value }) => value === 617);
      if (bad) answer(response, 400, { title: 'Bad Request', detail: 'metrics[0].value is cursed' });
      return bad;
    };
    spool.add(metrics(1_000), NOW);
    upload();
    await emptied();
    expect(api.samples).toHaveLength(999);
    expect(spool.quarantined()).toMatchObject([
      { samples: 1, reason: '400 metrics[0].value is cursed', example: { value: 617 } },
    ]);
    // Halving 1,000 takes 10 rounds of two.
    expect(api.requests).toBeLessThanOrEqual(21);
    expect(said).toEqual(['The api refused 1 sample, the last: 400 metrics[0].value is cursed; kept in quarantine']);
  });

  it('keeps no token in the reasons of the quarantine', async () => {
    api.instead = (batch, response) => {
      const whole = batch.length > 1;
      const rejected = [{ index: 0, field: 'value', reason: 'must be less than secret-token' }];
      if (whole) answer(response, 200, { accepted: 1, rejected });
      else answer(response, 400, { detail: 'got Bearer secret-token' });
      return true;
    };
    spool.add(metrics(2), NOW);
    spool.add(metrics(1), NOW + 1);
    upload();
    await emptied();
    expect(
      spool
        .quarantined()
        .map(({ reason }) => reason)
        .sort(),
    ).toEqual(['400 got Bearer ***', 'value must be less than ***']);
  });

  it('halves a batch that is too large', async () => {
    api.instead = (batch, response) => {
      if (batch.length > 100) answer(response, 413, { detail: 'too large' });
      return batch.length > 100;
    };
    spool.add(metrics(1_000), NOW);
    upload();
    await emptied();
    expect(api.samples).toHaveLength(1_000);
    expect(spool.totals()).toMatchObject({ sent: 1_000, quarantinedSamples: 0 });
  });

  it('quarantines what a 2xx rejects, with the reason', async () => {
    api.instead = (batch, response) => {
      api.store(batch.filter(({ value }) => value !== 3));
      answer(response, 200, { accepted: 9, rejected: [{ index: 3, field: 'value', reason: 'must not be 3' }] });
      return true;
    };
    spool.add(metrics(10), NOW);
    upload();
    await emptied();
    expect(spool.quarantined()).toMatchObject([{ reason: 'value must not be 3', example: { value: 3 } }]);
    expect(spool.totals()).toMatchObject({ generated: 10, sent: 9, quarantinedSamples: 1 });
  });

  it.each([401, 403, 404, 409, 415, 302])('holds everything on %i and goes on when it is put right', async (status) => {
    api.instead = (_batch, response) => {
      answer(response, status, { detail: 'not you' });
      return true;
    };
    spool.add(metrics(3), NOW);
    spool.add([metric(3)], NOW);
    const uploader = upload();
    await until(() => uploader.failures >= 3);
    expect(uploader.state).toBe('held');
    expect(spool.totals()).toMatchObject({ pendingSamples: 4, quarantinedSamples: 0 });
    expect(said).toEqual([
      `The api refuses this collector (${status} not you); everything waits in the spool until that is put right`,
    ]);
    api.instead = () => false;
    await emptied();
    expect(api.valuesOf('m')).toEqual([0, 1, 2, 3]);
    expect(said.at(-1)).toMatch(/^The api answers again after .*; to send: \d+ batches, \d samples$/);
  });

  it.each([408, 429, 500, 503])('tries again for ever on %i', async (status) => {
    api.instead = (_batch, response) => {
      answer(response, status, { detail: 'later' });
      return api.requests < 4;
    };
    spool.add(metrics(1), NOW);
    upload();
    await until(() => api.requests >= 3);
    api.instead = () => false;
    await emptied();
    expect(api.valuesOf('m')).toEqual([0]);
    expect(said[0]).toBe(`The api does not take samples (${status} later); they wait in the spool and are tried again`);
  });

  it('waits as long as Retry-After asks', async () => {
    let first = true;
    const times: number[] = [];
    api.instead = (_batch, response) => {
      times.push(performance.now());
      if (!first) return false;
      first = false;
      response.setHeader('retry-after', '1');
      answer(response, 503, { detail: 'busy' });
      return true;
    };
    spool.add(metrics(1), NOW);
    upload();
    await emptied();
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it('sends live batches ahead of the backlog', async () => {
    for (const value of [0, 1, 2]) spool.add([metric(value)], NOW);
    await api.stop();
    const uploader = upload();
    await until(() => uploader.failures > 0);
    const order: number[] = [];
    api.instead = (batch) => {
      order.push(...batch.map(({ value }) => value));
      if (order.length === 2) spool.add([metric(99)], NOW);
      return false;
    };
    await api.start();
    await emptied();
    expect(order.indexOf(99)).toBe(2);
    expect(order).toHaveLength(4);
  });

  it('sends the backlog at its rate, one request at a time', async () => {
    for (const value of [0, 1, 2, 3]) spool.add([metric(value)], NOW);
    const times: number[] = [];
    let [open, most] = [0, 0];
    api.instead = (batch, response) => {
      times.push(performance.now());
      most = Math.max(most, (open += 1));
      setTimeout(() => {
        open -= 1;
        api.store(batch);
        answer(response, 200, { accepted: batch.length, rejected: [] });
      }, 20);
      return true;
    };
    upload({ backlogPerSecond: 5 });
    await emptied();
    expect(api.valuesOf('m')).toEqual([0, 1, 2, 3]);
    expect(most).toBe(1);
    // Without a rate all four would have come within some milliseconds; the first may be noted late.
    expect((times[3] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(200);
  });

  it.each([200, 400, 422])('takes a %i that is no answer of the api for no word on the samples', async (code) => {
    const portal = await new TestServer(
      (_request, response) => void response.writeHead(code).end('<h1>Please log in</h1>'),
    ).start();
    const client = clientOf(portal.url, undefined, 60_000);
    const { status, reason } = await client.send(spoolPayload(), new AbortController().signal);
    expect({ status, reason }).toEqual({
      status: undefined,
      reason: `${code}, but not with an answer of the api: "<h1>Please log in</h1>"`,
    });
    await portal.stop();
  });

  it('sends plain JSON to an api that does not know gzip', async () => {
    const bodies: string[] = [];
    const old = await new TestServer(async (request, response) => {
      const gzip = request.headers['content-encoding'] === 'gzip';
      bodies.push(`${gzip ? 'gzip' : 'plain'} ${await bodyOf(request)} ${request.headers.authorization}`);
      answer(response, gzip ? 415 : 200, { accepted: 1 });
    }).start();
    const client = clientOf(old.url, 'secret-token', 60_000);
    await client.send(spoolPayload(), new AbortController().signal);
    await client.send(spoolPayload(), new AbortController().signal);
    expect(bodies.map((body) => body.split(' ')[0])).toEqual(['gzip', 'plain', 'plain']);
    expect(bodies[2]).toBe(`plain ${JSON.stringify({ metrics: metrics(1) })} Bearer secret-token`);
    await old.stop();
  });

  it('lets samples wait that are ahead of the clock of the api, and sends them when they are due', async () => {
    let now = NOW;
    const hour = 3_600_000;
    api.instead = (batch, response) => {
      response.setHeader('date', new Date(now).toUTCString());
      const early = batch.flatMap(({ timestamp }, index) => (timestamp > now + 600_000 ? [index] : []));
      api.store(batch.filter((_metric, index) => !early.includes(index)));
      const rejected = early.map((index) => ({
        index,
        field: 'timestamp',
        reason: 'must be no more than 10 minutes ahead',
      }));
      if (early.length === batch.length) answer(response, 400, { detail: 'no good item' });
      else answer(response, 200, { accepted: batch.length - early.length, rejected });
      return true;
    };
    spool.add([metric(0), metric(1, NOW + hour)], NOW + hour);
    spool.add([metric(2, NOW + hour)], NOW + hour);
    const uploader = upload({ elapsed: () => now });
    await until(() => spool.totals().sent === 1);
    expect(spool.totals()).toMatchObject({ sent: 1, pendingSamples: 2, quarantinedSamples: 0 });
    now += hour;
    uploader.wake();
    await emptied();
    expect(api.valuesOf('m')).toEqual([0, 1, 2]);
  });

  it('stops in time though the api hangs, and keeps the batch', async () => {
    api.instead = () => true;
    spool.add(metrics(1), NOW);
    const uploader = upload();
    await until(() => api.requests === 1);
    await uploader.stop();
    expect(spool.totals()).toMatchObject({ pendingSamples: 1, sent: 0 });
  });

  function spoolPayload(): Buffer {
    spool.add(metrics(1), NOW);
    return spool.nextOfAll(Infinity)?.payload ?? Buffer.alloc(0);
  }
});
