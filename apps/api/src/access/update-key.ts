import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageStatement, reasonOf, type PackageFacts } from '@device-metrics/domain';
import { Logger } from '@nestjs/common';
import type { ApiSettings } from '../settings.js';
import { SecretBox } from './sessions/secret-box.js';
import { writeOnce } from './sessions/write-once.js';

/** Injection token of the `UpdateKey`; undefined where there can be none, which the log says. */
export const UPDATE_KEY = Symbol('UpdateKey');

const DER = { type: 'pkcs8', format: 'der' } as const;

/**
 * The key (ed25519) by which collectors know that a package is from the api that they have joined: they get its public part when
 * they join, and take nothing that another key has signed.
 */
export class UpdateKey {
  /** SPKI, Base64. */
  readonly publicKey: string;

  private constructor(private readonly key: KeyObject) {
    this.publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
  }

  /**
   * Made at its first use, sealed, and for its owner alone.
   *
   * @throws Error where it cannot be made, or `secret.key` is not the one that it was sealed with.
   */
  static beside(databasePath: string): UpdateKey {
    const box = SecretBox.beside(databasePath);
    const file = join(dirname(databasePath), 'update.key');
    writeOnce(file, () => box.seal(generateKeyPairSync('ed25519').privateKey.export(DER).toString('base64')));
    const opened = box.open(readFileSync(file, 'utf8'));
    if (opened === undefined) {
      throw new Error(
        `${file} was sealed with another secret.key than the one beside it; put that back, or delete ${file} and let collectors join again`,
      );
    }
    return new UpdateKey(createPrivateKey({ key: Buffer.from(opened, 'base64'), ...DER }));
  }

  /** The signature of a package, Base64. */
  sign(facts: PackageFacts): string {
    return sign(null, packageStatement(facts), this.key).toString('base64');
  }
}

/** Made at the first start. Without it everything but updates goes on. */
export function updateKeyOf({ databasePath }: ApiSettings): UpdateKey | undefined {
  try {
    return UpdateKey.beside(databasePath);
  } catch (error) {
    new Logger('updates').warn(`Collectors cannot update themselves by this api: ${reasonOf(error)}`);
    return undefined;
  }
}
