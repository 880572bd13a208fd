import type { Server } from 'node:tls';
import { reasonOf } from '@device-metrics/domain';
import { readMaterial, stampOf, type TlsMaterial } from './tls-material.js';

/** How often the files are looked at, ms: whoever renews them writes one after the other. */
const LOOK_EVERY = 2_000;

interface Log {
  log(message: string): void;
  warn(message: string): void;
}

/** The certificate that the server shows, taken up again when its files change. Connections that are open stay as they are. */
export class Certificate {
  private timer: NodeJS.Timeout | undefined;
  private refused = '';

  constructor(private material: TlsMaterial) {}

  /** PEM. */
  get cert(): string {
    return this.material.cert;
  }

  get fingerprint(): string {
    return this.material.fingerprint;
  }

  watch(server: Server, log: Log): void {
    let stamp = stampOf(this.material.files);
    this.timer = setInterval(() => {
      try {
        const now = stampOf(this.material.files);
        if (now === stamp) return;
        this.material = readMaterial(...this.material.files);
        server.setSecureContext({ cert: this.material.cert, key: this.material.key });
        stamp = now;
        this.refused = '';
        log.log(`The certificate was renewed; its fingerprint is ${this.fingerprint}`);
      } catch (error) {
        // Half written, as long as the other file is missing.
        if (reasonOf(error) !== this.refused) log.warn(`The certificate stays as it was: ${reasonOf(error)}`);
        this.refused = reasonOf(error);
      }
    }, LOOK_EVERY).unref();
  }

  close(): void {
    clearInterval(this.timer);
  }
}
