import { createServer, type Server } from 'node:http';
import { metricDefinition, metricKind, type Reading } from '@device-metrics/domain';
import type { Collector } from './collector.js';
import type { Log } from './log.js';

/** Offers the collector's own metrics to Prometheus, at /metrics on 127.0.0.1, where the configuration gives a port. */
export class MetricsEndpoint {
  private server: Server | undefined;

  constructor(
    private readonly collector: Collector,
    private readonly log: Log,
  ) {}

  /** A port that is taken is said, and stops nothing: the samples matter more. */
  start(port: number): void {
    this.server = createServer((request, response) => {
      if (request.url !== '/metrics') return void response.writeHead(404).end();
      this.collector.ownReadings().then(
        (readings) => response.setHeader('content-type', 'text/plain; version=0.0.4').end(exposition(readings)),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
    this.server.on('error', (error) => this.log.error(`Own metrics are not offered: ${error.message}`));
    this.server.on('listening', () => this.log.log(`Own metrics at http://127.0.0.1:${this.port}/metrics`));
    this.server.listen(port, '127.0.0.1');
  }

  stop(): void {
    this.server?.close();
    this.server?.closeAllConnections();
  }

  private get port(): number {
    const address = this.server?.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }
}

/** Readings in the Prometheus text format 0.0.4; dots of names become underscores. */
export function exposition(readings: readonly Reading[]): string {
  const byMetric = new Map<string, Reading[]>();
  for (const reading of readings) {
    byMetric.set(reading.metricName, [...(byMetric.get(reading.metricName) ?? []), reading]);
  }
  const lines = [...byMetric].flatMap(([metricName, all]) => {
    const name = metricName.replaceAll(/[^a-zA-Z0-9_:]/g, '_');
    const help = metricDefinition(metricName)?.help ?? '';
    return [
      `# HELP ${name} ${help}`,
      // Prometheus has no updowncounter: what goes up and down is a gauge there.
      `# TYPE ${name} ${metricKind(metricName) === 'counter' ? 'counter' : 'gauge'}`,
      ...all.map((reading) => `${name}${labelsOf(reading)} ${reading.value}`),
    ];
  });
  return `${lines.join('\n')}\n`;
}

function labelsOf({ labels = {} }: Reading): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    return `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
  });
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
}
