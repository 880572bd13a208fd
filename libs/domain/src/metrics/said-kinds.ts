import type { MetricKind } from './definition.js';

/** Beyond it, what senders say of further metrics is not kept. */
const MOST = 50_000;

const kinds = new Map<string, MetricKind>();

/**
 * Takes note of the kind that a sender gives a metric, in the words of Prometheus or OpenTelemetry: `counter`, `gauge`,
 * `updowncounter`, and `histogram` or `summary`, whose series are called after it. Holds for this process.
 */
export function sayKind(name: string, type: string): void {
  const say = (kind: MetricKind, ...suffixes: string[]): void => {
    for (const suffix of suffixes) if (kinds.size < MOST || kinds.has(name + suffix)) kinds.set(name + suffix, kind);
  };
  switch (type) {
    case 'counter':
      return say('counter', '', '_total');
    case 'updowncounter':
      return say('updowncounter', '');
    case 'gauge':
      return say('gauge', '');
    case 'histogram':
      return say('counter', '_bucket', '_count', '_sum');
    case 'summary':
      say('gauge', '');
      return say('counter', '_count', '_sum');
  }
}

/** The kind that a sender gave a metric; undefined where none did. */
export const saidKind = (name: string): MetricKind | undefined => kinds.get(name);
