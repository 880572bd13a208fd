import { isSameSignature, signatureOf } from '../../http/signature.js';

export type LinkAction = 'acknowledge' | 'silence';

/** What a signed link may do: one thing, to what a message tells of, for some time. */
export interface LinkGrant {
  readonly action: LinkAction;
  /** Its key. */
  readonly message: string;
  /** Unix milliseconds. */
  readonly expires: number;
}

/** How long the links of a message work, ms. */
export const LINK_AGE = 7 * 86_400_000;

/** Signs what a link may do, so that who has the message can do it without logging in, and nobody else. */
export class LinkSigner {
  constructor(private readonly key: Buffer) {}

  token({ action, message, expires }: LinkGrant): string {
    const said = Buffer.from(JSON.stringify([action, expires, message])).toString('base64url');
    return `${said}.${signatureOf(this.key, said)}`;
  }

  /** Undefined where it was not signed here, was changed, or has expired. */
  read(token: string, now: number): LinkGrant | undefined {
    const [said = '', ...signature] = token.split('.');
    if (!isSameSignature(signature.join('.'), signatureOf(this.key, said))) return undefined;
    const [action, expires, message] = JSON.parse(Buffer.from(said, 'base64url').toString()) as [
      LinkAction,
      number,
      string,
    ];
    return expires > now ? { action, message, expires } : undefined;
  }
}
