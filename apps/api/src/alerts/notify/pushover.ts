import { shortened, type ChannelType } from './channel.js';
import { post } from './http.js';

const PRIORITIES = { info: '-1', warning: '0', critical: '1' };

/** Pushover: title 250, message 1,024, address 512 characters. */
export const pushover: ChannelType = {
  type: 'pushover',
  documentation: 'https://pushover.net/api',
  fields: {
    token: { type: 'text', meaning: 'token of the application', required: true, secret: true },
    user: { type: 'text', meaning: 'key of the user or group', required: true, secret: true },
    url: { type: 'url', meaning: 'address of the API', default: 'https://api.pushover.net/1/messages.json' },
  },
  async send({ title, text, severity, status, links, notice }, settings) {
    const wanted = [status === 'firing' ? links.acknowledge : undefined, links.chart];
    const link = wanted.find((one) => one !== undefined && one.length <= 512);
    const form = new URLSearchParams({
      token: settings['token'] as string,
      user: settings['user'] as string,
      title: shortened(title, 250),
      message: shortened(text, 1_024),
      priority: status === 'firing' ? PRIORITIES[severity] : '-1',
      timestamp: String(Math.floor(notice.at / 1000)),
      ...(link && { url: link, url_title: 'Open' }),
    });
    await post(settings['url'] as string, form);
  },
};
