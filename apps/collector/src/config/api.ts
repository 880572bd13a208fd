import { dirname, join, resolve } from 'node:path';
import { Mistakes, readEnvironment, readIfThere, readSettings, type Environment } from '@device-metrics/settings';
import { readCredential, type Credential } from './credential.js';
import { isToken, sourceSettings } from './settings.js';

/** Beside the credential: what the package of a server makes for the collector of its machine, which nobody has let join. */
const TOKEN_OF_PACKAGE = 'token';

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
  const token =
    apiToken ?? credential?.token ?? (isOnThisPc(url) ? tokenOfPackage(credentialPath, mistakes) : undefined);
  return { url, token, credential, credentialPath };
}

export const isOnThisPc = (url: string): boolean =>
  URL.canParse(url) && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(new URL(url).hostname);

function tokenOfPackage(credentialPath: string, mistakes: Mistakes): string | undefined {
  const file = join(dirname(credentialPath), TOKEN_OF_PACKAGE);
  const text = readIfThere(file, (reason) => mistakes.add('CREDENTIAL_PATH', `${file}: ${reason}`))?.trim();
  return text !== undefined && isToken(text) ? text : undefined;
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
