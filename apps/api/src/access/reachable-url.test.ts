import { hostname, type NetworkInterfaceInfo } from 'node:os';
import { expect, it } from '@jest/globals';
import { reachableUrl } from './reachable-url.js';

const at = (address: string, internal = false): NetworkInterfaceInfo =>
  ({ address, internal, family: address.includes(':') ? 'IPv6' : 'IPv4' }) as NetworkInterfaceInfo;
const lo = [at('127.0.0.1', true), at('::1', true)];

it('names an address that others reach', () => {
  const both = { lo, eth0: [at('fe80::1'), at('2001:db8::5'), at('192.0.2.7')] };
  for (const host of ['0.0.0.0', '[::]', '127.0.0.1', 'localhost']) {
    expect(reachableUrl(`https://${host}:3000`, both)).toBe('https://192.0.2.7:3000');
  }
  expect(reachableUrl('https://metrics.example.org', both)).toBe('https://metrics.example.org');
});

it('names one of IPv6 where it listens there and there is no other, and the machine where there is none', () => {
  const six = { lo, eth0: [at('fe80::1'), at('2001:db8::5')] };
  expect(reachableUrl('https://[::]:3000', six)).toBe('https://[2001:db8::5]:3000');
  const named = `https://${hostname().toLowerCase()}:3000`;
  expect(reachableUrl('https://0.0.0.0:3000', six)).toBe(named);
  expect(reachableUrl('https://[::]:3000', { lo })).toBe(named);
  expect(reachableUrl('http://127.0.0.1:3000', { lo })).toBe('http://127.0.0.1:3000');
});
