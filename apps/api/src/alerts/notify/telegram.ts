import { shortened, type ChannelType } from './channel.js';
import { postJsonOrPlain } from './http.js';

/** Telegram's Bot API: at most 4,096 characters. */
export const telegram: ChannelType = {
  type: 'telegram',
  documentation: 'https://core.telegram.org/bots/api#sendmessage',
  fields: {
    token: { type: 'text', meaning: "the bot's token, from @BotFather", required: true, secret: true },
    chat: { type: 'text', meaning: 'id of the chat, or @name of a channel', required: true },
    url: { type: 'url', meaning: 'server of the Bot API', default: 'https://api.telegram.org' },
  },
  async send({ title, text, links, status }, settings) {
    const base = (settings['url'] as string).replace(/\/+$/, '');
    const buttons = [
      ...(links.chart ? [{ text: 'Chart', url: links.chart }] : []),
      ...(links.acknowledge && status === 'firing' ? [{ text: 'Acknowledge', url: links.acknowledge }] : []),
      ...(links.silence && status === 'firing' ? [{ text: 'Silence', url: links.silence }] : []),
    ];
    const message = {
      chat_id: settings['chat'],
      text: shortened(`${title}\n\n${text}`, 4_096),
      link_preview_options: { is_disabled: true },
    };
    await postJsonOrPlain(
      `${base}/bot${settings['token'] as string}/sendMessage`,
      { ...message, ...(buttons.length > 0 && { reply_markup: { inline_keyboard: [buttons] } }) },
      message,
    );
  },
};
