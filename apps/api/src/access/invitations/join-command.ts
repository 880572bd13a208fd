import { commandLine, isInstalled } from '@device-metrics/settings';

/** What a PC needs to know to join. */
export interface JoinWay {
  /** Where collectors reach the server. */
  readonly url: string;
  readonly code: string;
  /** SHA-256 of the public key of the server's certificate, Base64, where no authority vouches for it. */
  readonly pin: string | undefined;
}

/**
 * What to run on the PC that is to join: one line, where this server is a package and so has one for PCs; otherwise the command
 * of a collector that is there already.
 */
export function joinCommand({ url, code, pin }: JoinWay, hasPackages = isInstalled()): string {
  const base = url.replace(/\/+$/, '');
  if (!hasPackages) return `${commandLine('collector')} join ${base} --code ${code}`;
  // The key is checked, also without an authority; whoever stands between has another.
  const check = pin !== undefined && base.startsWith('https') ? `-fsSk --pinnedpubkey 'sha256//${pin}'` : '-fsS';
  // Behind a proxy that has it under a path, which the api itself does not see.
  const under = new URL(base).pathname === '/' ? '' : `--url ${base} `;
  return `curl ${check} ${base}/join.sh | sudo sh -s -- ${under}${code}`;
}
