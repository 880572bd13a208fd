import { toRfc3339 } from '@device-metrics/domain';
import type { ChannelType } from './channel.js';
import { postJson } from './http.js';

/** Alertmanager takes an alert without an end for over some minutes after it came last: this one ends when it is told, ms. */
const OPEN_FOR = 365 * 86_400_000;
/** Labels of Prometheus have letters, digits and underscores in their names. */
const labelName = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');

/** Prometheus Alertmanager, API v2: it groups, silences and routes by itself, and the same alert twice is one to it. */
export const alertmanager: ChannelType = {
  type: 'alertmanager',
  documentation: 'https://prometheus.io/docs/alerting/latest/alerts_api/',
  fields: {
    url: { type: 'url', meaning: 'address of Alertmanager, such as http://127.0.0.1:9093', required: true },
    user: { type: 'text', meaning: 'name for basic authentication' },
    password: { type: 'text', meaning: 'password for basic authentication', secret: true },
    token: { type: 'text', meaning: 'bearer token', secret: true },
  },
  async send({ alerts, notice }, settings) {
    const body = alerts.map(({ rule, severity, device, labels, summary, text, began, ended, url }) => ({
      labels: {
        ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [labelName(name), value])),
        alertname: rule,
        severity,
        device,
      },
      annotations: { summary, description: text },
      startsAt: toRfc3339(began),
      endsAt: toRfc3339(ended ?? notice.at + OPEN_FOR),
      ...(url && { generatorURL: url }),
    }));
    const base = (settings['url'] as string).replace(/\/+$/, '');
    const { user, password = '', token } = settings as Record<string, string | undefined>;
    const authorization = token
      ? `Bearer ${token}`
      : user && `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    await postJson(`${base}/api/v2/alerts`, body, authorization ? { authorization } : {});
  },
};
