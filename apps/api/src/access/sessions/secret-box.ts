import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const IV = 12;
const TAG = 16;

/** Seals what has to be read again, so that the database, and a copy of it, shows it to nobody: the key is in a file beside it. */
export class SecretBox {
  private constructor(private readonly key: Buffer) {}

  /** The key is made at its first use, for its owner alone. */
  static beside(databasePath: string): SecretBox {
    const file = join(dirname(databasePath), 'secret.key');
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600, flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    return new SecretBox(Buffer.from(readFileSync(file, 'utf8'), 'base64'));
  }

  seal(text: string): string {
    const iv = randomBytes(IV);
    const cipher = createCipheriv('aes-256-gcm', this.key, iv);
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
  }

  /** 12 hexadecimal digits that are others for another text, and from which nobody finds the text. */
  markOf(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('hex').slice(0, 12);
  }

  /** Undefined where it was sealed with another key. */
  open(sealed: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', this.key, bytes.subarray(0, IV));
      decipher.setAuthTag(bytes.subarray(IV, IV + TAG));
      return decipher.update(bytes.subarray(IV + TAG), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      return undefined;
    }
  }
}
