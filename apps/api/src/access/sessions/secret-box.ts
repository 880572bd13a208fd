import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SettingsError } from '@device-metrics/settings';
import { writeOnce } from './write-once.js';

/** Bytes of the key, and of what AES-GCM puts before a text. */
const KEY = 32;
const IV = 12;
const TAG = 16;

/** Seals what has to be read again, so that the database, and a copy of it, shows it to nobody: the key is in a file beside it. */
export class SecretBox {
  private constructor(private readonly key: Buffer) {}

  /**
   * The key is made at its first use, for its owner alone.
   *
   * @throws SettingsError where the file holds no key: with another one nothing could be opened that was sealed.
   */
  static beside(databasePath: string): SecretBox {
    const file = join(dirname(databasePath), 'secret.key');
    const mistake = (found: string): SettingsError =>
      new SettingsError(
        [
          `${file} must hold a key of ${KEY} bytes, got ${found}: put it back as it was, or delete it. Without it users set up their ` +
            'one-time passwords anew, links that were given away end, and collectors join again before they update themselves',
        ],
        `${file} holds no key`,
      );
    let text: string;
    try {
      writeOnce(file, () => randomBytes(KEY).toString('base64'));
      text = readFileSync(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EISDIR') throw mistake('a folder');
      throw error;
    }
    const key = Buffer.from(text, 'base64');
    if (key.length !== KEY) throw mistake(text.length === 0 ? 'an empty file' : `${key.length}`);
    return new SecretBox(key);
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
