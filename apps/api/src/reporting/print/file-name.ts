import { createHash } from 'node:crypto';

const PLAIN = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/;
/** Names that Windows keeps for itself, whatever their extension, and that of the page that links the others. */
const TAKEN = /^(con|prn|aux|nul|com\d|lpt\d|index)(\.|$)/;

/**
 * The file of a device's page: the device's name where every file system takes it as it is; otherwise what is left of it
 * and, after a `~`, which no plain name has, something that only this device has.
 */
export function fileName(deviceName: string): string {
  if (PLAIN.test(deviceName) && !TAKEN.test(deviceName)) return `${deviceName}.html`;
  const readable = deviceName
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^A-Za-z0-9-]+/g, '_')
    .slice(0, 48);
  const own = createHash('sha256').update(deviceName).digest('hex').slice(0, 16);
  return `${readable}~${own}.html`;
}
