import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** The protocols whose counters stand at 0 from the start; those of others appear with their first request. */
const PROTOCOLS = ['json', 'influx', 'remote-write', 'otlp'];

/** What this server says about itself, in Prometheus' terms. */
@Injectable()
export class ApiMetrics {
  readonly registry = new Registry();
  /** What is of the whole site, and not for who is limited to some devices. */
  private readonly ofSite = new Registry();

  readonly samplesStored = new Counter({
    name: 'device_metrics_samples_stored_total',
    help: 'Samples that were acknowledged, and so are on disk, by the protocol that they came by.',
    labelNames: ['protocol'],
    registers: [this.registry],
  });

  readonly itemsRejected = new Counter({
    name: 'device_metrics_items_rejected_total',
    help: 'Items of batches that were refused, by the protocol that they came by.',
    labelNames: ['protocol'],
    registers: [this.registry],
  });

  readonly exemplarsIgnored = new Counter({
    name: 'device_metrics_exemplars_ignored_total',
    help: 'Exemplars that came beside samples, by the protocol that they came by; none is kept.',
    labelNames: ['protocol'],
    registers: [this.registry],
  });

  readonly requestsRefused = new Counter({
    name: 'device_metrics_requests_refused_total',
    help: 'Requests that were answered with a problem, by its code: each limit has one.',
    labelNames: ['problem'],
    registers: [this.registry],
  });

  readonly connectionsRefused = new Counter({
    name: 'device_metrics_connections_refused_total',
    help: 'Connections that were closed at once, beyond MAX_CONNECTIONS.',
    registers: [this.registry],
  });

  readonly reportsWritten = new Counter({
    name: 'device_metrics_reports_written_total',
    help: 'Runs of REPORTS_SCHEDULE that wrote their reports.',
    registers: [this.registry],
  });

  readonly reportFailures = new Counter({
    name: 'device_metrics_report_failures_total',
    help: 'Reports of REPORTS_SCHEDULE that were not written, one page or a whole run; the log says why.',
    registers: [this.registry],
  });

  readonly alertMessages = {
    sent: this.ofChannels('sent', 'Messages of alerts that their receiver has taken, by channel.'),
    failed: this.ofChannels(
      'failed',
      'Attempts to send a message of alerts that failed, by channel; it is tried again.',
    ),
    given_up: this.ofChannels('given_up', 'Messages of alerts that are not tried any more, by channel: they are lost.'),
  };

  readonly lastBackup = new Gauge({
    name: 'device_metrics_last_backup_timestamp_seconds',
    help: 'When BACKUP_SCHEDULE last made a backup that was whole; 0: there is none.',
    registers: [this.registry],
  });

  readonly backupFailures = new Counter({
    name: 'device_metrics_backup_failures_total',
    help: 'Backups of BACKUP_SCHEDULE that could not be made, or were not whole; the log says why.',
    registers: [this.registry],
  });

  readonly requestDuration = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Time from the request to the end of its answer.',
    labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
    buckets: [0.005, 0.025, 0.1, 0.5, 2.5, 10],
    registers: [this.registry],
  });

  constructor() {
    for (const protocol of PROTOCOLS) {
      this.samplesStored.inc({ protocol }, 0);
      this.itemsRejected.inc({ protocol }, 0);
    }
    collectDefaultMetrics({ register: this.registry });
  }

  observeRequest(method: string, route: string, status: number, milliseconds: number): void {
    this.requestDuration.observe(
      { http_request_method: method, http_route: route, http_response_status_code: status },
      milliseconds / 1000,
    );
  }

  /** All of it as text, or without what is of the whole site. */
  text(isWholeSite: boolean): Promise<string> {
    return isWholeSite ? Registry.merge([this.registry, this.ofSite]).metrics() : this.registry.metrics();
  }

  private ofChannels(outcome: string, help: string): Counter {
    const name = `device_metrics_alert_messages_${outcome}_total`;
    return new Counter({ name, help, labelNames: ['channel'], registers: [this.ofSite] });
  }

  /** @param waiting asks how many messages wait for each channel. */
  addWaitingMessages(waiting: () => Promise<ReadonlyMap<string, number>>): void {
    const gauge: Gauge = new Gauge({
      name: 'device_metrics_alert_messages_waiting',
      help: 'Messages of alerts that are still to be sent, by channel.',
      labelNames: ['channel'],
      registers: [this.ofSite],
      collect: async () => {
        const found = await waiting();
        gauge.reset();
        for (const [channel, messages] of found) gauge.set({ channel }, messages);
      },
    });
  }
}
