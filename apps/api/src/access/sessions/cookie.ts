import { parseCookie } from 'cookie';

/** The prefix makes browsers take it from here alone and by TLS alone. */
const WITH_TLS = '__Host-device-metrics';
const WITHOUT_TLS = 'device-metrics';

/** The name of the cookie that holds a session. */
export const cookieName = (isSecure: boolean): string => (isSecure ? WITH_TLS : WITHOUT_TLS);

/** What the cookie of a session has, of a header `Cookie`. By TLS the cookie without the prefix may be anybody's. */
export function cookieOf(header: string | undefined, isSecure: boolean): string | undefined {
  return header === undefined ? undefined : parseCookie(header)[cookieName(isSecure)];
}
