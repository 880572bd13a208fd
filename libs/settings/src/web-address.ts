import { quote } from '@device-metrics/domain';

/** Ports of other services, which `fetch` never calls: https://fetch.spec.whatwg.org/#port-blocking. */
const BLOCKED: ReadonlySet<string> = new Set(
  (
    '0 1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123 135 137 ' +
    '139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 995 1719 1720 ' +
    '1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080'
  ).split(' '),
);

/** What is wrong with the address of a receiver; undefined where it can be called. @param secret it is not quoted then, but for its port. */
export function webAddressMistake(text: string, secret = false): string | undefined {
  const got = secret ? 'something else' : quote(text);
  if (!/^https?:\/\/[^\s]+$/.test(text)) return `must begin with http:// or https://, got ${got}`;
  if (!URL.canParse(text)) return `must be an address such as https://chat.example.org:8443/hook, got ${got}`;
  const { port, username, password } = new URL(text);
  if (!isDecodable(username + password)) return 'must have a user and a password whose % are written %25';
  if (!BLOCKED.has(port)) return undefined;
  return `must have a port that web requests may go to, such as 443, 8080 or any above 10080, got port ${port}, which is kept for another service`;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
