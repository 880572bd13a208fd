import { expect, it } from '@jest/globals';
import { ApiMetrics } from './api-metrics.js';

it('names channels to who sees the whole site, and to nobody else', async () => {
  const metrics = new ApiMetrics();
  metrics.alertMessages.failed.inc({ channel: 'phone of anna' });
  metrics.addWaitingMessages(async () => new Map([['phone of anna', 3]]));

  const [all, limited] = [await metrics.text(true), await metrics.text(false)];

  expect(all).toContain('device_metrics_alert_messages_failed_total{channel="phone of anna"} 1');
  expect(all).toContain('device_metrics_alert_messages_waiting{channel="phone of anna"} 3');
  expect(limited).not.toContain('phone of anna');
  expect(limited).toContain('device_metrics_samples_stored_total{protocol="json"} 0');
});
