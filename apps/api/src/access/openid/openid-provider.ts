import { Inject, Injectable } from '@nestjs/common';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  discovery,
  fetchUserInfo,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  type Configuration,
  type UserInfoResponse,
} from 'openid-client';
import { apiConfig, type ApiConfig, type OpenIdSettings } from '../../settings.js';

/** For an answer of the provider, seconds. */
const PATIENCE = 10;

/** What has to be known when the browser comes back. */
export interface Journey {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Where the browser comes back to; the provider must have been told the same. */
  readonly redirectUri: string;
}

/** Who somebody is, as the provider says. */
export interface Identity {
  /** Never of somebody else: the provider, and its number for them. */
  readonly subject: string;
  /** What to call them. */
  readonly name: string;
  readonly groups: readonly string[];
}

/** The OpenID provider of the settings, if there is one. */
@Injectable()
export class OpenIdProvider {
  private readonly settings: OpenIdSettings;
  private found: Promise<Configuration> | undefined;

  constructor(@Inject(apiConfig.KEY) { openId }: ApiConfig) {
    this.settings = openId;
  }

  /** What people call it; undefined where there is none. */
  get displayName(): string | undefined {
    return this.settings.issuer === '' ? undefined : this.settings.displayName;
  }

  /** Where to send the browser, and what to keep until it comes back. */
  async begin(redirectUri: string): Promise<{ url: URL; journey: Journey }> {
    const provider = await this.provider();
    const journey = { state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier(), redirectUri };
    const url = buildAuthorizationUrl(provider, {
      redirect_uri: redirectUri,
      scope: this.settings.scopes,
      state: journey.state,
      nonce: journey.nonce,
      code_challenge: await calculatePKCECodeChallenge(journey.verifier),
      code_challenge_method: 'S256',
    });
    return { url, journey };
  }

  /**
   * Who has come back.
   *
   * @param search the query of the address that they came back to.
   * @throws Error where the provider says no, or what came is not the answer to `journey`.
   */
  async end(search: string, { state, nonce, verifier, redirectUri }: Journey): Promise<Identity> {
    const provider = await this.provider();
    const address = new URL(redirectUri);
    address.search = search;
    const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true };
    const tokens = await authorizationCodeGrant(provider, address, checks);
    const claims = tokens.claims();
    if (!claims) throw new Error('The provider sent no ID token.');
    // Many providers say little in the ID token, and the rest only there.
    const more = provider.serverMetadata().userinfo_endpoint
      ? await fetchUserInfo(provider, tokens.access_token, claims.sub)
      : undefined;
    return identityOf(claims.iss, { ...more, ...claims }, this.settings.groupsClaim);
  }

  /** Asked for what it offers once; again where that failed. */
  private provider(): Promise<Configuration> {
    this.found ??= this.discover().catch((error: unknown) => {
      this.found = undefined;
      throw error;
    });
    return this.found;
  }

  private discover(): Promise<Configuration> {
    const { issuer, clientId, clientSecret } = this.settings;
    const url = new URL(issuer);
    return discovery(url, clientId, clientSecret || undefined, clientSecret === '' ? None() : undefined, {
      timeout: PATIENCE,
      // The settings allow that on this machine alone.
      ...(url.protocol === 'http:' && { execute: [allowInsecureRequests] }),
    });
  }
}

function identityOf(
  issuer: string,
  claims: Partial<UserInfoResponse> & { sub: string },
  groupsClaim: string,
): Identity {
  const names = [claims.preferred_username, claims.email, claims.name, claims.sub];
  const groups: unknown = claims[groupsClaim];
  return {
    subject: `${issuer} ${claims.sub}`,
    name: names.find((name) => typeof name === 'string' && name.trim() !== '') ?? claims.sub,
    groups: (Array.isArray(groups) ? groups : [groups]).filter((group) => typeof group === 'string'),
  };
}
