import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { CollectorPackage } from './own-package.js';

/** What a script of this api fills in: where it came from, and what may be fetched there. */
export interface JoinPlace {
  /** Of this api, as the one who asks reaches it; no more than `checkHost` lets through. */
  readonly url: string;
  /** SHA-256 of the public key of a certificate that no authority vouches for, Base64. */
  readonly pin: string | undefined;
  readonly packages: readonly CollectorPackage[];
}

const FOLDER = new URL('../../join/', import.meta.url);

/** `join.sh` or `join.ps1` for one api. */
export async function joinScript(
  name: 'join.sh' | 'join.ps1',
  { url, pin = '', packages }: JoinPlace,
): Promise<string> {
  const lines = packages.map(({ name: file, version, system, architecture, size, sha256 }) =>
    [system, architecture, version, sha256, size, file].join(' '),
  );
  const values: Record<string, string> = { '@URL@': url, '@PIN@': pin, '@PACKAGES@': lines.join('\n') };
  const text = await readFile(fileURLToPath(new URL(name, FOLDER)), 'utf8');
  return text.replace(/@(URL|PIN|PACKAGES)@/g, (mark) => values[mark] ?? mark);
}
