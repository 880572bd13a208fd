import { Injectable } from '@nestjs/common';
import { hasHash, hashOf, newSecret } from '../token.js';

/** The code of the link in the log that makes the first admin: of this run of the server, and only while there is no user. */
@Injectable()
export class FirstAdminCode {
  private hash: string | null = null;

  /** A new code; the one before works no more. */
  make(): string {
    const code = newSecret();
    this.hash = hashOf(code);
    return code;
  }

  isRight(code: string): boolean {
    return hasHash(code, this.hash);
  }

  use(): void {
    this.hash = null;
  }
}
