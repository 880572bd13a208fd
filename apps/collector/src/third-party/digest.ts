import { createHash, randomBytes } from 'node:crypto';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Those that are known, the best first, by their names in lower case. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['sha-256', 'sha256'],
  ['md5', 'md5'],
]);

/** What a server says in `WWW-Authenticate`, which may offer several. */
const DIGEST = /\bdigest\s+(.*?)(?=,\s*(?:digest|basic|bearer|negotiate|ntlm)\b(?!\s*=)|$)/gis;
const PARAMETER = /(?<![\w*-])([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/g;

type Challenge = ReadonlyMap<string, string>;

/**
 * The header `Authorization` of a GET that answers what a server asks, as RFC 7616 has it.
 *
 * @param challenge the header `WWW-Authenticate`.
 * @param target path and query of the URL.
 * @returns undefined where it asks for no digest that is known.
 */
export function digestAuthorization(
  challenge: string,
  target: string,
  { username, password }: Credentials,
  cnonce = randomBytes(16).toString('hex'),
): string | undefined {
  const best = bestOf([...challenge.matchAll(DIGEST)].map(([, text = '']) => parametersOf(text)));
  if (!best) return undefined;
  const { asked, name, isOfSession } = best;
  const [realm, nonce, opaque] = ['realm', 'nonce', 'opaque'].map((one) => asked.get(one));
  const hash = (...parts: readonly (string | undefined)[]): string =>
    createHash(HASHES.get(name) as string)
      .update(parts.join(':'))
      .digest('hex');
  const ofUser = hash(username, realm, password);
  const secret = isOfSession ? hash(ofUser, nonce, cnonce) : ofUser;
  const ofRequest = hash('GET', target);
  // Servers from before RFC 2617 know no quality of protection.
  const isOld = asked.get('qop') === undefined;
  const count = '00000001';
  const response = isOld ? hash(secret, nonce, ofRequest) : hash(secret, nonce, count, cnonce, 'auth', ofRequest);
  const quoted = { username, realm, nonce, uri: target, response, opaque, cnonce: isOld ? undefined : cnonce };
  const plain = { algorithm: asked.get('algorithm'), qop: isOld ? undefined : 'auth', nc: isOld ? undefined : count };
  const said = [
    ...Object.entries(quoted).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}="${value.replace(/["\\]/g, '\\$&')}"`],
    ),
    ...Object.entries(plain).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`])),
  ];
  return `Digest ${said.join(', ')}`;
}

const parametersOf = (text: string): Challenge =>
  new Map(
    [...text.matchAll(PARAMETER)].map(([, name = '', quoted, plain = '']) => [
      name.toLowerCase(),
      quoted?.replace(/\\(.)/g, '$1') ?? plain,
    ]),
  );

interface Offer {
  readonly asked: Challenge;
  /** Of the hash, in lower case. */
  readonly name: string;
  readonly isOfSession: boolean;
}

function bestOf(challenges: readonly Challenge[]): Offer | undefined {
  const offers = challenges.flatMap((asked): Offer[] => {
    const algorithm = (asked.get('algorithm') ?? 'md5').toLowerCase();
    const name = algorithm.replace(/-sess$/, '');
    const protections = asked
      .get('qop')
      ?.toLowerCase()
      .split(/[\s,]+/);
    const isKnown = HASHES.has(name) && asked.has('nonce') && (protections?.includes('auth') ?? true);
    return isKnown ? [{ asked, name, isOfSession: name !== algorithm }] : [];
  });
  return [...HASHES.keys()].flatMap((hash) => offers.filter(({ name }) => name === hash))[0];
}
