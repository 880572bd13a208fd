import type { ServerResponse } from 'node:http';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { toRfc3339 } from '@device-metrics/contract';
import { metricDefinition, selectsSeries, type Sample } from '@device-metrics/domain';
import type { LastingAccess } from '../access/lasting-access.js';
import { Problem } from '../http/problem.js';
import { type SeriesQuery } from '../http/series-query.dto.js';
import { selectorOf } from '../http/series-query.js';
import { LiveSamples } from './live-samples.js';

/** How many streams may be open at a time. */
export const MAX_STREAMS = 100;
/** How often a quiet stream shows that it lives, and a reader must have read something, ms. */
export const HEARTBEAT = 15_000;
/** How long the writing of events may hold the event loop, ms. */
const SLICE = 2;

const EVERYTHING: LastingAccess = { scope: '', sees: () => true, stop: () => undefined };

interface Reader {
  readonly response: ServerResponse;
  readonly selected: (sample: Sample) => boolean;
  /** Equal for readers that select the same. */
  readonly filter: string;
  /** Number of the event that it gets next. */
  next: number;
  /** Whether it had not read enough at the last heartbeat either. */
  stalled: boolean;
}

/**
 * The open streams of server-sent events. Each reader takes events from the window at its own pace: one that is behind
 * by more than the window, or reads nothing for long, is cut off, and never costs more memory than one event.
 */
@Injectable()
export class LiveStreams implements BeforeApplicationShutdown {
  /** In the order in which they are served. */
  private readonly readers = new Set<Reader>();
  private scheduled = false;

  constructor(private readonly liveSamples: LiveSamples) {}

  /** @throws Problem when there are as many streams as may be. */
  assertRoom(): void {
    if (this.readers.size < MAX_STREAMS) return;
    throw new Problem('too-many-streams', `There are ${MAX_STREAMS} live streams, as many as may be at a time.`, {
      retryAfter: 10,
    });
  }

  /** Sends the samples that `query` selects until the reader leaves, falls behind, or the server stops. */
  open(
    response: ServerResponse,
    query: SeriesQuery,
    lastEventId: string | undefined,
    { scope, sees, stop }: LastingAccess = EVERYTHING,
  ): void {
    const { liveSamples, readers } = this;
    if (response.destroyed) return stop();
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
    // Node holds these back until something of the body comes, which to HEAD never does.
    if (response.req.method === 'HEAD') {
      stop();
      return void response.end();
    }
    const last = lastEventId === undefined ? liveSamples.newest : liveSamples.numberOf(lastEventId);
    const isKept = last === liveSamples.newest || (last !== undefined && liveSamples.event(last + 1) !== undefined);
    const next = (isKept ? last : liveSamples.newest) + 1;
    const selected = selectsSeries(selectorOf(query));
    const reader = {
      response,
      selected: (sample: Sample): boolean => selected(sample) && sees(sample.deviceName),
      filter: JSON.stringify([query, scope]),
      next,
      stalled: false,
    };
    // The id comes at once, and with each heartbeat, so that a client that has not got any event can come back too.
    const position = (): string => `id: ${liveSamples.idOf(reader.next - 1)}\n`;
    response.write(
      isKept
        ? `: open\n${position()}\n`
        : `${position()}event: gap\ndata: {"reason":"the events after this Last-Event-ID are no longer kept"}\n\n`,
    );
    const stopListening = liveSamples.listen(this.schedule);
    const heartbeat = setInterval(() => {
      if (!response.writableNeedDrain) response.write(`: heartbeat\n${position()}\n`);
      else if (reader.stalled) response.destroy();
      reader.stalled = response.writableNeedDrain;
    }, HEARTBEAT);
    readers.add(reader);
    response.on('drain', this.schedule);
    response.once('close', () => {
      stop();
      stopListening();
      clearInterval(heartbeat);
      readers.delete(reader);
    });
    this.schedule();
  }

  /** A stream never ends by itself: without this, a stop would wait for its readers. */
  beforeApplicationShutdown(): void {
    for (const { response } of this.readers) response.end();
  }

  /** After the requests that wait already: ingest goes first. */
  private readonly schedule = (): void => {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.serve();
    });
  };

  /** Gives every reader that is behind and can take it one event after the other. */
  private serve(): void {
    const end = performance.now() + SLICE;
    const texts = new Map<string, string>();
    let behind = true;
    while (behind) {
      behind = false;
      for (const reader of [...this.readers]) {
        if (reader.next > this.liveSamples.newest || reader.response.writableNeedDrain) continue;
        if (performance.now() > end) return this.schedule();
        this.serveNext(reader, texts);
        behind = true;
      }
      texts.clear();
    }
  }

  /** @param texts what has been made for other readers already, by event and filter. */
  private serveNext(reader: Reader, texts: Map<string, string>): void {
    const { response, filter, selected, next } = reader;
    const event = this.liveSamples.event(next);
    if (!event) return void response.destroy();
    const key = `${next} ${filter}`;
    const text = texts.get(key) ?? eventText(this.liveSamples.idOf(next), event.filter(selected));
    texts.set(key, text);
    if (text !== '') response.write(text);
    reader.next += 1;
    // To the end of the order, so that a slice that is over too early is not always over for the same readers.
    if (this.readers.delete(reader)) this.readers.add(reader);
  }
}

const eventText = (id: string, samples: readonly Sample[]): string =>
  samples.length === 0 ? '' : `id: ${id}\nevent: samples\ndata: ${JSON.stringify(samples.map(metricOf))}\n\n`;

/** A sample as `POST …/metrics/` takes it. */
const metricOf = ({ deviceName, metricName, value, unit, labels, timestamp }: Sample): Record<string, unknown> => ({
  device_name: deviceName,
  metric_name: metricName,
  value,
  unit: unit ?? metricDefinition(metricName)?.unit,
  labels,
  timestamp: toRfc3339(timestamp),
});
