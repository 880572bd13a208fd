import { toRfc3339 } from '@device-metrics/domain';
import { shortened, type ChannelType } from './channel.js';
import { postJsonOrPlain } from './http.js';

const COLORS = { info: 0x0b57a4, warning: 0xc77700, critical: 0xc4281c };

/** Discord's webhooks: an embed has a title of 256 and a description of 4,096 characters. */
export const discord: ChannelType = {
  type: 'discord',
  documentation: 'https://discord.com/developers/docs/resources/webhook#execute-webhook',
  fields: { url: { type: 'url', meaning: 'the webhook of the channel', required: true, secret: true } },
  async send({ title, text, severity, status, links, notice }, settings) {
    const named: [string, string | undefined][] = [
      ['Acknowledge', status === 'firing' ? links.acknowledge : undefined],
      ['Silence', status === 'firing' ? links.silence : undefined],
    ];
    const more = named.flatMap(([label, url]) => (url ? [`[${label}](${url})`] : [])).join(' · ');
    const embed = {
      title: shortened(title, 256),
      description: `${shortened(text, 3_000)}${more && `\n\n${more}`}`,
      color: status === 'firing' ? COLORS[severity] : 0x15803d,
      timestamp: toRfc3339(notice.at),
    };
    // Nobody is called by what a device is named.
    const body = (one: object): object => ({ allowed_mentions: { parse: [] }, embeds: [one] });
    await postJsonOrPlain(
      settings['url'] as string,
      body({ ...embed, ...(links.chart && { url: links.chart }) }),
      body(embed),
    );
  },
};
