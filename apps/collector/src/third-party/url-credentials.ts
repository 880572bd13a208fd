export interface Credentials {
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** The user and password of a URL such as mqtt://user:password@host, which are taken out of it. */
export function takeCredentials(url: URL): Credentials {
  const credentials = { username: decoded(url.username), password: decoded(url.password) };
  url.username = url.password = '';
  return credentials;
}

function decoded(text: string): string | undefined {
  if (text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    // A % that stands for itself.
    return text;
  }
}
