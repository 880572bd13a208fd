import { ConfigError, type Config } from './config.js';
import { Spool } from './upload/spool.js';

/**
 * The spool of a configuration.
 *
 * @param onDamage told what was found and saved.
 * @throws ConfigError where its file cannot be opened.
 */
export function openSpool({ spool }: Config, onDamage: (message: string) => void): Spool {
  try {
    return new Spool(spool.path, spool, onDamage);
  } catch (error) {
    const reason = (error as Error).message;
    throw new ConfigError([`SPOOL_PATH: ${spool.path} cannot be opened: ${reason}`]);
  }
}
