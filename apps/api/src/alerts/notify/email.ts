import { reasonOf } from '@device-metrics/domain';
import type { SendMailOptions, Transporter } from 'nodemailer';
import { ChannelError, shortened, type ChannelType, type Message, type Refused } from './channel.js';

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
    try {
      const from = settings['from'] as string;
      // As the server will name them: without the names of persons, and as DNS has their domains.
      const { envelope } = await createTransport({ jsonTransport: true }).sendMail({
        from,
        to: settings['to'] as string[],
      });
      const to = receiversNow(message, envelope.to);
      if (to.length === 0 && envelope.to.length > 0) return;
      await sendMail(transport, message, { from, to: settings['to'] as string[], envelope: { from, to } });
    } catch (error) {
      if (error instanceof ChannelError) throw error;
      const { rejectedErrors = [] } = error as { rejectedErrors?: readonly RecipientError[] };
      if (rejectedErrors.length > 0) throw refusal(rejectedErrors, (message.receivers?.without.length ?? 0) > 0);
      throw new ChannelError(reasonOf(error), isPermanent(error));
    } finally {
      transport.close();
    }
  },
};

function receiversNow({ receivers }: Message, all: readonly string[]): string[] {
  const { only, without = [] } = receivers ?? {};
  return all.filter((one) => (only === undefined || one === only) && !without.includes(one));
}

/** @throws ChannelError, with those for whom it was not taken, unless they are all that there are. */
async function sendMail(transport: Transporter, message: Message, envelope: SendMailOptions): Promise<void> {
  const mail: SendMailOptions = {
    ...envelope,
    subject: shortened(message.title, 250),
    text: message.text,
    html: message.html,
    // A message that comes twice is one message to many mail programs.
    messageId: `<${message.key}@device-metrics>`,
    ...(message.severity === 'critical' && message.status === 'firing' && { priority: 'high' as const }),
  };
  const chart = { filename: 'chart.svg', content: message.chart, contentType: 'image/svg+xml' };
  const withChart = { ...mail, attachments: message.chart === undefined ? [] : [chart] };
  const sent = (await transport.sendMail(withChart).catch((error: unknown) => {
    // Too large, or of a kind that the server takes from nobody: a chart never costs the message.
    if (message.chart !== undefined && isOfContent(error)) return transport.sendMail(mail);
    throw error;
  })) as { readonly rejectedErrors?: readonly RecipientError[] };
  const errors = sent.rejectedErrors ?? [];
  if (errors.length > 0) throw refusal(errors, true);
}

/** Of one receiver. */
type RecipientError = Error & { readonly recipient: string };

/** Whether it was the mail itself that a server refused for good. */
const isOfContent = (error: unknown): boolean =>
  (error as { code?: unknown }).code === 'EMESSAGE' && isPermanent(error);

/** @param hasOthers whether the mail was taken for others, or these wait for older ones. */
function refusal(errors: readonly RecipientError[], hasOthers: boolean): ChannelError {
  const refused = errors.map((error): Refused => {
    return { receiver: error.recipient, reason: `not taken for ${error.recipient}: ${reasonOf(error)}` };
  });
  const permanent = errors.every(isPermanent);
  return new ChannelError(refused.map(({ reason }) => reason).join('; '), {
    permanent,
    refused: hasOthers ? refused : [],
  });
}
