import { shortenedBytes, type ChannelType } from './channel.js';
import { postJson } from './http.js';

/** Bytes; a quotation mark has two, a control character six. */
const sizeInJson = (text: string): number => Buffer.byteLength(JSON.stringify(text));

const COLORS = { info: 'Accent', warning: 'Warning', critical: 'Attention' };

/** Microsoft Teams by a workflow "When a Teams webhook request is received": an adaptive card of at most 28 KB. */
export const teams: ChannelType = {
  type: 'teams',
  documentation: 'https://learn.microsoft.com/power-automate/teams/send-a-message-in-teams',
  fields: { url: { type: 'url', meaning: 'the webhook of the workflow', required: true, secret: true } },
  async send({ title, text, severity, status, links }, settings) {
    const named: [string, string | undefined][] = [
      ['Chart', links.chart],
      ['Acknowledge', status === 'firing' ? links.acknowledge : undefined],
      ['Silence', status === 'firing' ? links.silence : undefined],
    ];
    await postJson(settings['url'] as string, {
      type: 'message',
      attachments: [
        {
          contentType: 'application/vnd.microsoft.card.adaptive',
          contentUrl: null,
          content: {
            $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
            type: 'AdaptiveCard',
            version: '1.4',
            body: [
              {
                type: 'TextBlock',
                text: shortenedBytes(title, 2_000, sizeInJson),
                weight: 'Bolder',
                size: 'Medium',
                wrap: true,
                color: status === 'firing' ? COLORS[severity] : 'Good',
              },
              { type: 'TextBlock', text: shortenedBytes(text.replace(/\n/g, '\n\n'), 22_000, sizeInJson), wrap: true },
            ],
            actions: named.flatMap(([label, url]) => (url ? [{ type: 'Action.OpenUrl', title: label, url }] : [])),
          },
        },
      ],
    });
  },
};
