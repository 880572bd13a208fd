import { reasonOf } from '@device-metrics/domain';
import { ChannelError, shortened, type ChannelType } from './channel.js';

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
      choices: ['starttls', 'tls', 'none'],
      default: 'starttls',
    },
    ca: { type: 'text', meaning: 'certificate (PEM) that the server is trusted by, where it is none that Node knows' },
    user: { type: 'text', meaning: 'name to log in by' },
    password: { type: 'text', meaning: 'password to log in by', secret: true },
    from: { type: 'address', meaning: 'sender, such as "Device Metrics <alerts@example.org>"', required: true },
    to: { type: 'addresses', meaning: 'receivers', required: true },
  },
  async send(message, settings) {
    const tls = settings['tls'];
    const user = settings['user'] as string | undefined;
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      host: settings['host'] as string,
      port: settings['port'] as number,
      secure: tls === 'tls',
      requireTLS: tls !== 'tls' && tls !== 'none',
      ignoreTLS: tls === 'none',
      ...(settings['ca'] !== undefined && { tls: { ca: settings['ca'] as string } }),
      ...(user !== undefined && { auth: { user, pass: (settings['password'] as string | undefined) ?? '' } }),
      connectionTimeout: 15_000,
      greetingTimeout: 15_000,
      socketTimeout: 30_000,
    });
    const receivers = settings['to'] as string[];
    const to = receivers.filter((one) => !taken.get(message.key)?.has(one));
    try {
      const sent = await transport.sendMail({
        from: settings['from'] as string,
        to: receivers,
        envelope: { from: settings['from'] as string, to },
        subject: shortened(message.title, 250),
        text: message.text,
        html: message.html,
        // A message that comes twice is one message to many mail programs.
        messageId: `<${message.key}@device-metrics>`,
        ...(message.severity === 'critical' && message.status === 'firing' && { priority: 'high' as const }),
        attachments: message.chart
          ? [{ filename: 'chart.svg', content: message.chart, contentType: 'image/svg+xml' }]
          : [],
      });
      const { rejected, rejectedErrors: errors = [] } = sent as Refused;
      if (rejected.length > 0) {
        noteTaken(
          message.key,
          to.filter((one) => !rejected.some((address) => one.includes(address))),
        );
        const reasons = errors.map((error) => reasonOf(error)).join('; ');
        throw new ChannelError(`not taken for ${rejected.join(', ')}: ${reasons}`, errors.every(isPermanent));
      }
      taken.delete(message.key);
    } catch (error) {
      if (error instanceof ChannelError) throw error;
      throw new ChannelError(reasonOf(error), isPermanent(error));
    } finally {
      transport.close();
    }
  },
};

/** The receivers that a server did not take a mail for, and why. */
interface Refused {
  readonly rejected: readonly string[];
  readonly rejectedErrors?: readonly Error[];
}

/** Who has a message already that others are still to get, by its key; of the newest messages. */
const taken = new Map<string, Set<string>>();
const MOST_TAKEN = 100;

function noteTaken(key: string, receivers: readonly string[]): void {
  const all = new Set([...(taken.get(key) ?? []), ...receivers]);
  taken.delete(key);
  taken.set(key, all);
  for (const oldest of taken.keys()) {
    if (taken.size <= MOST_TAKEN) return;
    taken.delete(oldest);
  }
}
