import { X509Certificate } from 'node:crypto';
import { Agent } from 'node:https';
import { isIP } from 'node:net';
import { connect } from 'node:tls';

/** The certificate that a server shows. */
export interface ShownCertificate {
  readonly pem: string;
  /** SHA-256, as OpenSSL prints it. */
  readonly fingerprint: string;
  /** Whether an authority that this machine knows vouches for it, and for the name of the server. */
  readonly isTrusted: boolean;
}

const LONGEST = 10_000;

/** Asks a server for its certificate, and sends it nothing else. */
export function shownCertificate(url: string): Promise<ShownCertificate> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return new Promise((resolve, reject) => {
    const name = isIP(host) === 0 ? { servername: host } : {};
    const socket = connect({ host, port: Number(port || 443), rejectUnauthorized: false, ...name }, () => {
      const { raw } = socket.getPeerCertificate();
      const isTrusted = socket.authorized;
      socket.destroy();
      const certificate = new X509Certificate(raw);
      resolve({ pem: certificate.toString(), fingerprint: certificate.fingerprint256, isTrusted });
    });
    socket.setTimeout(LONGEST, () => socket.destroy(new Error(`no answer within ${LONGEST / 1_000} s`)));
    socket.once('error', reject);
  });
}

/** Takes this certificate alone, whatever name it is for. */
export function agentFor(pem: string): Agent {
  const options = { ca: pem, checkServerIdentity: () => undefined, allowPartialTrustChain: true, keepAlive: true };
  return new Agent(options);
}

export const fingerprintOf = (pem: string): string => new X509Certificate(pem).fingerprint256;
