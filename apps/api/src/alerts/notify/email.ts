import { reasonOf } from '@device-metrics/domain';
import { ChannelError, type ChannelType } from './channel.js';

/** Answers of SMTP from 500 on say that the same will not be taken later either. */
const isPermanent = (error: unknown): boolean => Number((error as { responseCode?: unknown }).responseCode) >= 500;

/** E-mail by SMTP. The chart hangs on it as a file: mail programs show no SVG in the text. */
export const email: ChannelType = {
  type: 'email',
  documentation: 'https://nodemailer.com/smtp/',
  fields: {
    host: { type: 'text', meaning: 'SMTP server', required: true },
    port: { type: 'integer', meaning: 'its port: 587 for STARTTLS, 465 for TLS from the start', default: 587 },
    tls: {
      type: 'text',
      meaning: '`starttls` (required), `tls` (from the start) or `none`',
      default: 'starttls',
    },
    ca: { type: 'text', meaning: 'certificate (PEM) that the server is trusted by, where it is none that Node knows' },
    user: { type: 'text', meaning: 'name to log in by' },
    password: { type: 'text', meaning: 'password to log in by', secret: true },
    from: { type: 'text', meaning: 'sender, such as "Device Metrics <alerts@example.org>"', required: true },
    to: { type: 'texts', meaning: 'receivers', required: true },
  },
  async send(message, settings) {
    const tls = settings['tls'];
    const user = settings['user'] as string | undefined;
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      host: settings['host'] as string,
      port: settings['port'] as number,
      secure: tls === 'tls',
      requireTLS: tls === 'starttls',
      ignoreTLS: tls === 'none',
      ...(settings['ca'] !== undefined && { tls: { ca: settings['ca'] as string } }),
      ...(user !== undefined && { auth: { user, pass: (settings['password'] as string | undefined) ?? '' } }),
      connectionTimeout: 15_000,
      greetingTimeout: 15_000,
      socketTimeout: 30_000,
    });
    try {
      await transport.sendMail({
        from: settings['from'] as string,
        to: settings['to'] as string[],
        subject: message.title,
        text: message.text,
        html: message.html,
        // A message that comes twice is one message to many mail programs.
        messageId: `<${message.key}@device-metrics>`,
        ...(message.severity === 'critical' && message.status === 'firing' && { priority: 'high' as const }),
        attachments: message.chart
          ? [{ filename: 'chart.svg', content: message.chart, contentType: 'image/svg+xml' }]
          : [],
      });
    } catch (error) {
      throw new ChannelError(reasonOf(error), isPermanent(error));
    } finally {
      transport.close();
    }
  },
};
