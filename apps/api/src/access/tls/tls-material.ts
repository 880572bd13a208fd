import { createHash, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { DAY, reasonOf } from '@device-metrics/domain';
import { SettingsError } from '@device-metrics/settings';
import type { ApiSettings } from '../../settings.js';

/** Injection token of the `Certificate`; undefined without TLS. */
export const CERTIFICATE = Symbol('Certificate');

/** Years that a certificate of its own is good for: collectors trust it by its fingerprint, not by its date. */
const YEARS = 20;

/** The certificate and key that the server shows. */
export interface TlsMaterial {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  readonly files: readonly [cert: string, key: string];
  /** SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` prints it. */
  readonly fingerprint: string;
}

/**
 * The certificate that the settings name, or one of its own that is made at the first start; undefined without TLS.
 *
 * @throws SettingsError where the files cannot be used.
 */
export async function tlsMaterial(settings: ApiSettings, now: number): Promise<TlsMaterial | undefined> {
  const { tls, tlsCert, tlsKey } = settings.access;
  if (tlsCert !== '') return readMaterial(tlsCert, tlsKey);
  if (tls === 'off') return undefined;
  const folder = join(dirname(settings.databasePath), 'tls');
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  if (!existsSync(cert) || !existsSync(key)) await makeCertificate(folder, cert, key, now);
  return readMaterial(cert, key);
}

/** @throws SettingsError where the files are no certificate with its key. */
export function readMaterial(certFile: string, keyFile: string): TlsMaterial {
  const read = (setting: string, file: string): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      throw new SettingsError([`${setting} ${file} cannot be read: ${reasonOf(error)}`]);
    }
  };
  const [cert, key] = [read('TLS_CERT', certFile), read('TLS_KEY', keyFile)];
  try {
    createSecureContext({ cert, key });
    return { cert, key, files: [certFile, keyFile], fingerprint: new X509Certificate(cert).fingerprint256 };
  } catch (error) {
    throw new SettingsError([`TLS_CERT ${certFile} and TLS_KEY ${keyFile} do not go together: ${reasonOf(error)}`]);
  }
}

/**
 * SHA-256 of the public key, Base64, as `curl --pinnedpubkey` wants it; undefined of a certificate that was given, as an authority
 * vouches for that, and its key may change.
 */
export function pinOf(
  { cert }: Pick<TlsMaterial, 'cert'>,
  { access }: Pick<ApiSettings, 'access'>,
): string | undefined {
  if (access.tlsCert !== '') return undefined;
  const key = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

/** When the files were last changed; a number that differs after a change. */
export const stampOf = (files: readonly string[]): string =>
  files
    .map((file) => {
      const { mtimeMs, ino, size } = statSync(file);
      return `${mtimeMs}-${ino}-${size}`;
    })
    .join(' ');

async function makeCertificate(folder: string, certFile: string, keyFile: string, now: number): Promise<void> {
  const { generate } = await import('selfsigned');
  const names = [hostname(), 'localhost'].map((value) => ({ type: 2 as const, value }));
  const { cert, private: key } = await generate([{ name: 'commonName', value: hostname().slice(0, 64) }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(now - DAY),
    notAfterDate: new Date(now + YEARS * 365 * DAY),
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'subjectAltName', altNames: [...names, { type: 7, ip: '127.0.0.1' }] },
    ],
  });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(keyFile, key, { mode: 0o600 });
  chmodSync(keyFile, 0o600);
  writeFileSync(certFile, cert);
}
