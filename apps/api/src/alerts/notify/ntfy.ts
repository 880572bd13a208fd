import { shortenedBytes, type ChannelType } from './channel.js';
import { postJson } from './http.js';

const PRIORITIES = { info: 3, warning: 4, critical: 5 };

/** ntfy, published as JSON: at most 4,096 bytes of message. */
export const ntfy: ChannelType = {
  type: 'ntfy',
  documentation: 'https://docs.ntfy.sh/publish/#publish-as-json',
  fields: {
    url: { type: 'url', meaning: 'server', default: 'https://ntfy.sh' },
    topic: { type: 'text', meaning: 'topic; who knows it can read along', required: true, secret: true },
    token: { type: 'text', meaning: 'access token', secret: true },
  },
  async send({ title, text, severity, status, links }, settings) {
    const { acknowledge, silence, chart } = links;
    const actions = [
      ...(acknowledge && status === 'firing' ? [{ action: 'view', label: 'Acknowledge', url: acknowledge }] : []),
      ...(silence && status === 'firing' ? [{ action: 'view', label: 'Silence', url: silence }] : []),
    ];
    const token = settings['token'] as string | undefined;
    await postJson(
      settings['url'] as string,
      {
        topic: settings['topic'],
        title: shortenedBytes(title, 250),
        message: shortenedBytes(text, 4_000),
        priority: status === 'firing' ? PRIORITIES[severity] : 3,
        tags: [status === 'firing' ? 'rotating_light' : 'white_check_mark'],
        ...(chart && { click: chart }),
        ...(actions.length > 0 && { actions }),
      },
      token ? { authorization: `Bearer ${token}` } : {},
    );
  },
};
