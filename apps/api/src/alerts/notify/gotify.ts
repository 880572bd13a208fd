import { shortened, type ChannelType } from './channel.js';
import { postJson } from './http.js';

const PRIORITIES = { info: 3, warning: 5, critical: 8 };

export const gotify: ChannelType = {
  type: 'gotify',
  documentation: 'https://gotify.net/docs/pushmsg',
  fields: {
    url: { type: 'url', meaning: 'server', required: true },
    token: { type: 'text', meaning: 'token of the application', required: true, secret: true },
  },
  async send({ title, text, severity, status, links }, settings) {
    await postJson(
      `${(settings['url'] as string).replace(/\/+$/, '')}/message`,
      {
        title: shortened(title, 250),
        message: shortened(text, 10_000),
        priority: status === 'firing' ? PRIORITIES[severity] : 2,
        ...(links.chart && { extras: { 'client::notification': { click: { url: links.chart } } } }),
      },
      { 'x-gotify-key': settings['token'] as string },
    );
  },
};
