import { isSameSignature, signatureOf } from '../../http/signature.js';

export type LinkAction = 'acknowledge' | 'silence';

/** What a signed link may do: one thing, to some episodes, for some time. */
export interface LinkGrant {
  readonly action: LinkAction;
  /** Of the episodes. */
  readonly ids: readonly string[];
  /** Unix milliseconds. */
  readonly expires: number;
}

/** How long the links of a message work, ms. */
export const LINK_AGE = 7 * 86_400_000;
/** A link names at most so many alerts: it has to fit into a message. */
const MOST_IDS = 20;

/** Signs what a link may do, so that who has the message can do it without logging in, and nobody else. */
export class LinkSigner {
  constructor(private readonly key: Buffer) {}

  token({ action, ids, expires }: LinkGrant): string {
    const said = Buffer.from(JSON.stringify([action, expires, ids.slice(0, MOST_IDS)])).toString('base64url');
    return `${said}.${signatureOf(this.key, said)}`;
  }

  /** Undefined where it was not signed here, was changed, or has expired. */
  read(token: string, now: number): LinkGrant | undefined {
    const [said = '', ...signature] = token.split('.');
    if (!isSameSignature(signature.join('.'), signatureOf(this.key, said))) return undefined;
    const [action, expires, ids] = JSON.parse(Buffer.from(said, 'base64url').toString()) as [
      LinkAction,
      number,
      string[],
    ];
    return expires > now ? { action, ids, expires } : undefined;
  }
}
