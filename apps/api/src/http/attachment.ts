/** `Content-Disposition` (RFC 6266) of a file to be saved; what a file system may not take in a name becomes `_`. */
export function attachment(name: string): string {
  const safe = name.replace(/[\\/:*?"<>|\p{C}]+/gu, '_');
  const ascii = safe.replace(/[^\x20-\x7E]+/g, '_');
  const encoded = encodeURIComponent(safe).replace(/['()]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
