import type { ServerResponse } from 'node:http';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { toRfc3339 } from '@device-metrics/contract';
import { metricDefinition, type Sample } from '@device-metrics/domain';
import { selects, type SeriesQuery } from '../http/series-query.js';
import { LiveSamples, type LiveEvent } from './live-samples.js';

/** Bytes that may wait for one reader; one that lets more pile up is cut off. */
const MAX_WAITING = 4 * 1024 * 1024;
/** How often a quiet stream shows that it lives, ms. */
const HEARTBEAT = 15_000;

/** The open streams of server-sent events. */
@Injectable()
export class LiveStreams implements BeforeApplicationShutdown {
  private readonly streams = new Set<ServerResponse>();

  constructor(private readonly liveSamples: LiveSamples) {}

  /** Sends the samples that `query` selects until the reader leaves, falls behind, or the server stops. */
  open(response: ServerResponse, query: SeriesQuery, lastEventId: string | undefined): void {
    const selected = selects(query);
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
    response.flushHeaders();
    const send = (event: LiveEvent): void => {
      const text = eventText(event, selected);
      if (text !== '') write(response, text);
    };
    if (lastEventId !== undefined) {
      const missed = this.liveSamples.since(lastEventId);
      if (missed) missed.forEach(send);
      else write(response, 'event: gap\ndata: {"reason":"the events after this Last-Event-ID are no longer kept"}\n\n');
    }
    const stopListening = this.liveSamples.listen(send);
    const heartbeat = setInterval(() => write(response, ': heartbeat\n\n'), HEARTBEAT);
    this.streams.add(response);
    response.once('close', () => {
      stopListening();
      clearInterval(heartbeat);
      this.streams.delete(response);
    });
  }

  /** A stream never ends by itself: without this, a stop would wait for its readers. */
  beforeApplicationShutdown(): void {
    for (const response of this.streams) response.end();
  }
}

function write(response: ServerResponse, text: string): void {
  response.write(text);
  if (response.writableLength > MAX_WAITING) response.destroy();
}

function eventText({ id, samples }: LiveEvent, selected: (sample: Sample) => boolean): string {
  const metrics = samples.filter(selected).map(metricOf);
  return metrics.length === 0 ? '' : `id: ${id}\nevent: samples\ndata: ${JSON.stringify(metrics)}\n\n`;
}

/** A sample as `POST …/metrics/` takes it. */
const metricOf = ({ deviceName, metricName, value, unit, labels, timestamp }: Sample): Record<string, unknown> => ({
  device_name: deviceName,
  metric_name: metricName,
  value,
  unit: unit ?? metricDefinition(metricName)?.unit,
  labels,
  timestamp: toRfc3339(timestamp),
});
