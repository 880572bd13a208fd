import { reasonOf } from '@device-metrics/domain';
import type { Config } from '../config/config.js';
import { deleteCredential, writeCredential } from '../config/credential.js';
import { ApiConnection } from '../upload/api-connection.js';
import { shownCertificate } from '../upload/certificate.js';
import { UsageError, type Print } from './command.js';
import { detailOf } from '../upload/detail.js';

const TIMEOUT = 30_000;

/** Gives the credential back, at the api and here; `--force`: here, even if the api cannot be told. */
export async function leave({ api }: Config, args: readonly string[], print: Print): Promise<void> {
  const { credential, credentialPath } = api;
  const isForced = args[0] === '--force';
  if (args[0] !== undefined && !isForced) throw new UsageError(`leave takes --force and nothing else, got ${args[0]}`);
  if (!credential) throw new UsageError(`This collector has not joined: there is no ${credentialPath} for ${api.url}`);
  const failure = await tellApi({ ...api, token: credential.token });
  if (failure !== undefined && !isForced) {
    throw new UsageError(
      `${api.url} could not be told (${failure}); with --force the credential is deleted all the same`,
    );
  }
  deleteCredential(credentialPath);
  print(`Left ${api.url}; what is in the spool stays there`);
  if (failure !== undefined) print(`# ${api.url} could not be told: ${failure}. Revoke the collector there`);
}

/** Why the api could not be told; undefined where it has been, or knows already. */
async function tellApi(api: Config['api']): Promise<string | undefined> {
  try {
    const { status, body } = await new ApiConnection(api, TIMEOUT).request({
      method: 'DELETE',
      path: '/api/v1/collectors/self',
      signal: new AbortController().signal,
    });
    return status === 204 || status === 401 ? undefined : `${status} ${detailOf(body)}`;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Takes up another certificate of the api, whose fingerprint a person has compared. */
export async function trust({ api }: Config, [said = '']: readonly string[], print: Print): Promise<void> {
  const { credential, credentialPath } = api;
  if (!credential) throw new UsageError(`This collector has not joined: there is no ${credentialPath} for ${api.url}`);
  const { fingerprint, pem, isTrusted } = await shownCertificate(credential.url).catch((error: unknown) => {
    throw new UsageError(`${credential.url} shows no certificate: ${reasonOf(error)}`);
  });
  if (said.toUpperCase() !== fingerprint) {
    throw new UsageError(
      `The certificate of ${credential.url} has the fingerprint ${fingerprint}, not ${said || 'none'}`,
    );
  }
  writeCredential(credentialPath, { ...credential, certificate: isTrusted ? undefined : pem });
  print(`${credential.url} is trusted by this certificate from now on`);
}
