import { resolve } from 'node:path';
import { Mistakes, readEnvironment, readSettings, type Environment } from '@device-metrics/settings';
import { readCredential, type Credential } from './credential.js';
import { sourceSettings } from './settings.js';

/** Where the collector sends to, and as whom. */
export interface Api {
  readonly url: string;
  /** Sent along as a bearer token. */
  readonly token: string | undefined;
  /** What it got when it joined; undefined where it has not, or not at this api. */
  readonly credential: Credential | undefined;
  /** The file of the credential, whether it is there or not. */
  readonly credentialPath: string;
}

/** As the environment says, or as the collector has joined. A credential goes to the api alone that it is from. */
export function readApi(variables: Environment, mistakes: Mistakes): Api {
  const { apiUrl, apiToken, credentialPath: path } = readSettings(sourceSettings, variables, mistakes);
  const credentialPath = resolve(path);
  const found = readCredential(credentialPath, (reason) => mistakes.add('CREDENTIAL_PATH', reason));
  const isSaid = Boolean(variables['API_URL']?.trim());
  const url = isSaid ? apiUrl : (found?.url ?? besideThis(variables) ?? apiUrl);
  const isItsOwn = found && URL.canParse(url) && new URL(found.url).origin === new URL(url).origin;
  const credential = isItsOwn ? found : undefined;
  return { url, token: apiToken ?? credential?.token, credential, credentialPath };
}

/** The api of the same `.env` is on this machine, and at its port. */
function besideThis(variables: Environment): string | undefined {
  const port = variables['PORT']?.trim() ?? '';
  return /^[1-9]\d{0,4}$/.test(port) ? `http://127.0.0.1:${port}` : undefined;
}

/** As it is now: a file that holds the token may have another one, and the collector may have joined again. */
export function readApiAgain(): Api | undefined {
  const mistakes = new Mistakes();
  const api = readApi(readEnvironment(mistakes), mistakes);
  return mistakes.list.length === 0 ? api : undefined;
}
