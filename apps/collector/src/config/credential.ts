import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { readIfThere, url as urlSetting } from '@device-metrics/settings';
import { isToken } from './settings.js';

/** What a collector got when it joined. */
export interface Credential {
  /** Of the api. */
  readonly url: string;
  readonly collector_id: string;
  /** What its PC is called there. */
  readonly device_name: string;
  readonly token: string;
  /** Unix milliseconds. */
  readonly joined_at: number;
  /** PEM of the certificate that the api showed, where no authority that this machine knows vouches for it. */
  readonly certificate?: string | undefined;
  /** What the api signs packages with (ed25519, SPKI in Base64); undefined where it had none. */
  readonly update_key?: string | undefined;
}

/** The credential in a file; undefined where there is none, or none that can be read, which `onFailure` is told. */
export function readCredential(file: string, onFailure: (reason: string) => void): Credential | undefined {
  const text = readIfThere(file, onFailure);
  if (text === undefined) return undefined;
  const content = parsed(text);
  if (isCredential(content)) return content;
  onFailure(`${file} is no credential; run collector join again`);
  return undefined;
}

/** Writes it for its owner alone, whole or not at all. */
export function writeCredential(file: string, credential: Credential): void {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify(credential, null, 2)}\n`, { mode: 0o600, flush: true });
  chmodSync(draft, 0o600);
  renameSync(draft, file);
}

export const deleteCredential = (file: string): void => rmSync(file, { force: true });

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isCredential(content: unknown): content is Credential {
  const { url, collector_id, device_name, token, joined_at, certificate, update_key } = (content ?? {}) as Partial<
    Record<string, unknown>
  >;
  return (
    [url, collector_id, device_name, token].every((text) => typeof text === 'string') &&
    urlSetting.parse(url as string) !== undefined &&
    isToken(token as string) &&
    typeof joined_at === 'number' &&
    [certificate, update_key].every((text) => ['string', 'undefined'].includes(typeof text))
  );
}
