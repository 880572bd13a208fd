import type { Section } from '../config/section.js';

/** Which certificates of a device are taken. */
export interface TlsTrust {
  /** Of the authority that the device's certificate comes from, PEM; undefined: those of Node. */
  readonly ca: string | undefined;
  /** Any certificate is taken. */
  readonly insecure: boolean;
}

/** The keys `ca` and `insecure`. */
export function tlsTrust(keys: Section): TlsTrust {
  const ca = keys.optionalText('ca');
  const insecure = keys.flag('insecure', false);
  if (ca !== undefined && !ca.includes('-----BEGIN CERTIFICATE-----')) {
    keys.mistake('ca', 'must be a certificate in PEM, as in ${file:ca.pem}');
  }
  if (ca !== undefined && insecure) keys.mistake('insecure', 'leaves ca without use; one of them must go');
  return { ca, insecure };
}

/** As Node's TLS has it. */
export const tlsOptions = ({ ca, insecure }: TlsTrust): { ca?: string; rejectUnauthorized: boolean } => ({
  ...(ca !== undefined && { ca }),
  rejectUnauthorized: !insecure,
});
