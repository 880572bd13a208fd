import { isIPv6 } from 'node:net';

/**
 * Whose an address is, where attempts and requests are counted: who has one of IPv6 mostly has the 2⁶⁴ beside it too. Addresses that
 * hold on one cable alone stand for themselves.
 */
export function networkOf(address: string): string {
  const plain = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(plain) || /^fe[89ab]/i.test(plain)) return plain;
  const [before = '', after] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const [head, tail] = [groups(before), groups(after ?? '')];
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  const network = [...head, ...zeros, ...tail].slice(0, 4);
  return `${network.join(':')}::/64`;
}
