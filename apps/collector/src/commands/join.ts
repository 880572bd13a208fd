import { parseArgs } from 'node:util';
import { codeOfFingerprint, parseJoinCode, quote, reasonOf } from '@device-metrics/domain';
import { isOnThisPc, readApiAgain } from '../config/api.js';
import type { Config } from '../config/config.js';
import { API_DEVICE } from '../config/sources.js';
import { writeCredential } from '../config/credential.js';
import { request } from '../http.js';
import { aboutThisCollector } from '../upload/about.js';
import { agentFor, shownCertificate, type ShownCertificate } from '../upload/certificate.js';
import { UsageError, type Print } from './command.js';
import { detailOf } from '../upload/detail.js';

const TIMEOUT = 30_000;

interface Joined {
  readonly id: string;
  readonly device_name: string;
  readonly state: string;
  readonly token: string;
  readonly update_key?: string;
  readonly refused: readonly { readonly device_name: string; readonly reason: string }[];
}

/** Gets a credential from an api by the code of an invitation. */
export async function join(config: Config, args: readonly string[], print: Print): Promise<void> {
  const { url, code, fingerprint } = wishOf(args);
  const certificate = url.protocol === 'https:' ? await checkedCertificate(url, code, fingerprint, print) : undefined;
  if (!certificate) print(`# ${url.origin} has no TLS: whoever is on the way can read what is sent there`);
  const pinned = certificate && !certificate.isTrusted ? certificate.pem : undefined;
  const { api, deviceName, sources } = config;
  // The api that it has not joined yet is taken for one on this PC, and is read as a device only there.
  const isRead = (name: string): boolean => name !== API_DEVICE || isOnThisPc(url.href);
  const devices = [...new Set(sources.map((source) => source.deviceName))].filter(
    (name) => name !== deviceName && isRead(name),
  );
  // With a token it may have sent there before it joined.
  const isOfIt = (known: string): boolean => URL.canParse(known) && new URL(known).origin === url.origin;
  const previous =
    api.credential && isOfIt(api.credential.url) ? api.credential.token : isOfIt(api.url) ? api.token : undefined;
  const { status, body } = await request({
    method: 'POST',
    url: `${url.href.replace(/\/+$/, '')}/api/v1/collectors/join`,
    headers: { 'content-type': 'application/json' },
    data: Buffer.from(
      JSON.stringify({
        code,
        device_name: deviceName,
        devices,
        ...aboutThisCollector(),
        ...(previous !== undefined && { previous_token: previous }),
      }),
    ),
    timeout: TIMEOUT,
    maxBytes: 2 ** 20,
    followRedirects: false,
    ...(pinned !== undefined && { httpsAgent: agentFor(pinned) }),
    signal: new AbortController().signal,
  }).catch((error: unknown) => {
    throw new UsageError(`${url.origin} cannot be joined: ${reasonOf(error)}`);
  });
  if (status !== 201)
    throw new UsageError(`${url.origin} does not let this collector join: ${status} ${detailOf(body)}`);
  const joined = JSON.parse(body) as Joined;
  config.redactor.add(joined.token);
  writeCredential(api.credentialPath, {
    url: url.href.replace(/\/+$/, ''),
    collector_id: joined.id,
    device_name: joined.device_name,
    token: joined.token,
    joined_at: Date.now(),
    ...(pinned !== undefined && { certificate: pinned }),
    ...(joined.update_key !== undefined && { update_key: joined.update_key }),
  });
  sayJoined(joined, config, print);
  sayWhatGoesBefore(joined, print);
}

function wishOf(args: readonly string[]): { url: URL; code: string; fingerprint: string | undefined } {
  const { values, positionals } = parse(args);
  const [text = '', ...more] = positionals;
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text) || more.length > 0) {
    throw new UsageError(
      `join needs the URL of an api, as in https://server:3000, got ${quote(positionals.join(' '))}`,
    );
  }
  if (values.code === undefined)
    throw new UsageError('join needs --code, which the page of the api or api invite gives');
  if (!parseJoinCode(values.code)) {
    throw new UsageError('--code must be four or eight groups of four characters, as in ABCD-EFGH-JKMN-PQRS');
  }
  return { url: new URL(text), code: values.code, fingerprint: values.fingerprint };
}

function parse(args: readonly string[]) {
  try {
    const options = { code: { type: 'string' }, fingerprint: { type: 'string' } } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(reasonOf(error));
  }
}

/** @throws UsageError unless the code, the person or an authority vouches for the certificate. */
async function checkedCertificate(
  url: URL,
  code: string,
  said: string | undefined,
  print: Print,
): Promise<ShownCertificate> {
  const shown = await shownCertificate(url.href).catch((error: unknown) => {
    throw new UsageError(`${url.origin} shows no certificate: ${reasonOf(error)}`);
  });
  const { fingerprint, isTrusted } = shown;
  print(`The certificate of ${url.origin} has the fingerprint ${fingerprint}`);
  const expected = parseJoinCode(code)?.certificate;
  const isOfCode = expected !== undefined && codeOfFingerprint(fingerprint) === expected;
  if (said !== undefined && said.toUpperCase() !== fingerprint) {
    throw new UsageError(`That is not the fingerprint ${said}: somebody may stand between. The code was not sent`);
  }
  if (isTrusted || isOfCode || said !== undefined) return shown;
  throw new UsageError(
    expected !== undefined
      ? 'The code was made for another certificate: somebody may stand between, or the certificate was changed since. The code was not sent'
      : 'No authority that this machine knows vouches for it. Compare it with what the api says at its start, and if they are the ' +
          `same, add --fingerprint ${fingerprint}`,
  );
}

function sayJoined({ device_name, state, refused }: Joined, { api, deviceName }: Config, print: Print): void {
  if (state === 'conflict') {
    print(
      `Joined, but there is a device ${device_name} already, of another collector or of somebody who has not joined. What`,
    );
    print('is read here waits until an admin says, under System, whether this is a new device or the same one.');
    return;
  }
  print(`Joined as ${device_name}${device_name === deviceName ? '' : `, which this PC calls ${deviceName}`}`);
  print(`The credential is in ${api.credentialPath}`);
  for (const device of refused) print(`# Samples of ${device.device_name} are not taken: it ${device.reason}`);
}

/** Settings that are written count more than what it has joined. */
function sayWhatGoesBefore({ token }: Joined, print: Print): void {
  const now = readApiAgain();
  if (!now) return;
  if (!now.credential) print(`# It goes on sending to ${new URL(now.url).origin}, as API_URL says: take that out`);
  else if (now.token !== token)
    print('# It goes on sending by the token of API_TOKEN, which comes before: take that out');
}
