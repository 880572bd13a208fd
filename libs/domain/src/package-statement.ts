/** A package of the collector, as the api describes it. */
export interface PackageFacts {
  readonly name: string;
  readonly version: string;
  /** Of `uname -s`, in small letters. */
  readonly system: string;
  /** As Node names it. */
  readonly architecture: string;
  /** Bytes. */
  readonly size: number;
  readonly sha256: string;
}

/**
 * What an api signs of a package (ed25519) and a collector checks: the version too, so that nobody passes an older package off
 * as a newer one.
 */
export const packageStatement = ({ name, version, system, architecture, size, sha256 }: PackageFacts): Buffer =>
  Buffer.from(['device-metrics package', name, version, system, architecture, size, sha256, ''].join('\n'));
