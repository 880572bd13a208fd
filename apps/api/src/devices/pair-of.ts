/** Name and value of `name=value`, composed as they are stored. */
export function pairOf(pair: string): [name: string, value: string] {
  const equals = pair.indexOf('=');
  return [pair.slice(0, equals).normalize('NFC'), pair.slice(equals + 1).normalize('NFC')];
}
