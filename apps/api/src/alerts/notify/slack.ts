import { shortened, type ChannelType } from './channel.js';
import { postJsonOrPlain } from './http.js';

const COLORS = { info: '#0b57a4', warning: '#c77700', critical: '#c4281c' };
/** Slack reads these three in text. */
const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** Slack's incoming webhooks: header 150, section 3,000 characters. */
export const slack: ChannelType = {
  type: 'slack',
  documentation: 'https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/',
  fields: { url: { type: 'url', meaning: 'the incoming webhook', required: true, secret: true } },
  async send({ title, text, severity, status, links }, settings) {
    const named: [string, string | undefined][] = [
      ['Chart', links.chart],
      ['Acknowledge', status === 'firing' ? links.acknowledge : undefined],
      ['Silence', status === 'firing' ? links.silence : undefined],
    ];
    const buttons = named.flatMap(([label, url]) =>
      url ? [{ type: 'button', text: { type: 'plain_text', text: label }, url }] : [],
    );
    const blocks = [
      { type: 'header', text: { type: 'plain_text', text: shortened(title, 150) } },
      { type: 'section', text: { type: 'mrkdwn', text: shortened(escaped(text), 3_000) } },
    ];
    const body = (more: readonly object[]): object => ({
      text: shortened(escaped(title), 3_000),
      attachments: [{ color: status === 'firing' ? COLORS[severity] : '#15803d', blocks: [...blocks, ...more] }],
    });
    await postJsonOrPlain(
      settings['url'] as string,
      body(buttons.length > 0 ? [{ type: 'actions', elements: buttons }] : []),
      body([]),
    );
  },
};
