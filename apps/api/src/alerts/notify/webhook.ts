import { createHmac } from 'node:crypto';
import { toRfc3339 } from '@device-metrics/domain';
import type { ChannelType, Message } from './channel.js';
import { post } from './http.js';

/** JSON of our own, signed: `X-Signature: sha256=` and the HMAC of `X-Timestamp`, a dot and the body. */
export const webhook: ChannelType = {
  type: 'webhook',
  documentation: 'docs/alerts.md#webhook',
  fields: {
    url: { type: 'url', meaning: 'where the message is posted', required: true, secret: true },
    secret: { type: 'text', meaning: 'key of the signature', secret: true },
    headers: { type: 'headers', meaning: 'headers that go along', secret: true },
  },
  async send(message, settings) {
    const body = JSON.stringify(webhookBody(message));
    const timestamp = String(Math.floor(message.notice.at / 1000));
    const secret = settings['secret'] as string | undefined;
    const signature = secret && createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
    await post(settings['url'] as string, body, {
      'content-type': 'application/json',
      'idempotency-key': message.key,
      'x-timestamp': timestamp,
      ...(signature && { 'x-signature': `sha256=${signature}` }),
      ...(settings['headers'] as Record<string, string> | undefined),
    });
  },
};

const webhookBody = ({ key, status, severity, title, text, links, notice, alerts }: Message): object => ({
  key,
  kind: notice.kind,
  status,
  severity,
  title,
  text,
  group: notice.group,
  links,
  alerts: alerts.map(({ id, rule, device, labels, summary, began, ended, url, severity: its, text: advice }) => ({
    id,
    status: ended === null ? 'firing' : 'resolved',
    rule,
    severity: its,
    device_name: device,
    labels,
    summary,
    text: advice,
    began: toRfc3339(began),
    ended: ended === null ? null : toRfc3339(ended),
    url,
  })),
});
