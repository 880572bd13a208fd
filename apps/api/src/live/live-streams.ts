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
/** How long the making of pieces may hold the event loop, ms. */
const SLICE = 1;
/** Readers that are written to in one turn of it. */
const AT_A_TIME = 10;
/** Readers get what has come since the last time, at most so often, ms: the page of a person needs no more. */
const PACE = 100;
/** To a piece that is longer nothing more is added, characters. */
const ENOUGH = 64 * 1024;

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
 * by more than the window is told of the gap, one that reads nothing for long is cut off, and none ever costs more memory
 * than one piece.
 */
@Injectable()
export class LiveStreams implements BeforeApplicationShutdown {
  private readonly readers = new Set<Reader>();
  private isScheduled = false;
  /** When the last round began in which all readers are served. */
  private roundSince = -Infinity;
  private round: Round | undefined;

  constructor(private readonly liveSamples: LiveSamples) {}

  /** @throws Problem when there are as many streams as may be. */
  assertRoom(): void {
    if (this.readers.size < MAX_STREAMS) return;
    throw new Problem('too-many-streams', `There are ${MAX_STREAMS} live streams, as many as may be at a time.`, {
      retryAfter: 10,
    });
  }

  /** Sends the samples that `query` selects until the reader leaves, reads nothing for long, or the server stops. */
  open(
    response: ServerResponse,
    query: SeriesQuery,
    lastEventId: string | undefined,
    { scope, sees, stop }: LastingAccess = EVERYTHING,
  ): void {
    const { liveSamples, readers } = this;
    if (response.destroyed) return stop();
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
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
        : gapText(liveSamples.idOf(next - 1), 'the events after this Last-Event-ID are no longer kept'),
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

  private readonly schedule = (): void => {
    if (this.isScheduled) return;
    this.isScheduled = true;
    const wait = this.round ? 0 : this.roundSince + PACE - performance.now();
    if (wait > 0) setTimeout(this.serve, wait);
    // After the requests that wait already: ingest goes first.
    else setImmediate(this.serve);
  };

  /** Gives readers that are behind and can take them a piece each, one after the other, as long as a slice allows. */
  private readonly serve = (): void => {
    this.isScheduled = false;
    const start = performance.now();
    if (!this.round) {
      this.roundSince = start;
      this.round = { newest: this.liveSamples.newest, left: [...this.readers], pieces: new Map() };
    }
    const { newest, left, pieces } = this.round;
    let served = 0;
    for (let reader = left.shift(); reader; reader = left.shift()) {
      this.serveNext(reader, pieces);
      if (reader.next <= newest && this.canTake(reader)) left.push(reader);
      served += 1;
      if (served === AT_A_TIME || performance.now() - start > SLICE) return this.schedule();
    }
    this.round = undefined;
    if ([...this.readers].some((reader) => this.canTake(reader))) this.schedule();
  };

  private canTake({ response, next }: Reader): boolean {
    return next <= this.liveSamples.newest && !response.writableNeedDrain && !response.destroyed;
  }

  private serveNext(reader: Reader, pieces: Round['pieces']): void {
    if (!this.canTake(reader)) return;
    const { response, filter, next } = reader;
    const key = `${next} ${filter}`;
    const piece = pieces.get(key) ?? this.pieceFor(reader);
    pieces.set(key, piece);
    if (piece.bytes.length > 0) response.write(piece.bytes);
    reader.next = piece.next;
  }

  /** Where the window no longer has what comes next, that it has not. */
  private pieceFor({ selected, next }: Reader): Piece {
    const { liveSamples } = this;
    if (!liveSamples.event(next)) {
      const text = gapText(liveSamples.idOf(liveSamples.newest), 'samples came faster than this reader took them');
      return { bytes: Buffer.from(text), next: liveSamples.newest + 1 };
    }
    let text = '';
    let at = next;
    for (; at <= liveSamples.newest && text.length < ENOUGH; at += 1) {
      text += eventText(liveSamples.idOf(at), (liveSamples.event(at) ?? []).filter(selected));
    }
    return { bytes: Buffer.from(text), next: at };
  }
}

/** In which all readers get what had come when it began, or as much of it as they take. */
interface Round {
  readonly newest: number;
  readonly left: Reader[];
  /** What has been made for some of them, by its first event and their filter. */
  readonly pieces: Map<string, Piece>;
}

/** Events as a reader gets them. */
interface Piece {
  readonly bytes: Buffer;
  /** Number of the event after them. */
  readonly next: number;
}

const eventText = (id: string, samples: readonly Sample[]): string =>
  samples.length === 0 ? '' : `id: ${id}\nevent: samples\ndata: ${JSON.stringify(samples.map(metricOf))}\n\n`;

const gapText = (id: string, reason: string): string =>
  `id: ${id}\nevent: gap\ndata: ${JSON.stringify({ reason })}\n\n`;

/** A sample as `POST …/metrics/` takes it. */
const metricOf = ({ deviceName, metricName, value, unit, labels, timestamp }: Sample): Record<string, unknown> => ({
  device_name: deviceName,
  metric_name: metricName,
  value,
  unit: unit ?? metricDefinition(metricName)?.unit,
  labels,
  timestamp: toRfc3339(timestamp),
});
