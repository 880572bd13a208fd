import { getCiphers } from 'node:crypto';
import type { User } from 'net-snmp';
import type { Section } from '../../config/section.js';
import type { Source } from '../../run/source.js';
import type { Protocol } from '../protocol.js';
import { snmpClient } from './client.js';
import { configuredObjects, type Objects } from './objects.js';
import { presets } from './presets.js';
import { readObjects } from './read.js';
import { SnmpSession, type Target } from './session.js';

const VERSIONS = ['2c', '3'] as const;
const AUTH = ['md5', 'sha', 'sha224', 'sha256', 'sha384', 'sha512'] as const;
const PRIV = ['des', 'aes', 'aes256b', 'aes256r'] as const;

/** Switches, UPSs, printers and whatever else speaks SNMPv2c or SNMPv3: presets, single objects and tables. */
export const snmp: Protocol = {
  name: 'snmp',
  configure(keys, name) {
    const target = targetOf(keys);
    const objects = objectsOf(keys);
    const exclude = keys.texts('exclude', []);
    return (): Source => ({
      name,
      read: async (signal, parts) => {
        const session = new SnmpSession(target, signal);
        try {
          await readObjects(session, objects, exclude, parts);
          return [];
        } finally {
          session.close();
        }
      },
    });
  },
};

function targetOf(keys: Section): Target {
  const v3 = keys.choice('version', VERSIONS, '2c') === '3';
  return {
    host: keys.text('host'),
    port: keys.count('port', 161, 1, 65_535),
    community: v3 ? undefined : (keys.secret('community') ?? 'public'),
    user: v3 ? userOf(keys) : undefined,
    context: v3 ? (keys.optionalText('context') ?? '') : '',
    requestTimeout: keys.duration('request_timeout', 1_000, 10, 60_000),
    retries: keys.count('retries', 2, 0, 10),
    maxRepetitions: keys.count('max_repetitions', 40, 1, 200),
  };
}

/** Signed where there is an `auth_password`, encrypted too where there is a `priv_password`. */
function userOf(keys: Section): User {
  const name = keys.text('user');
  const authProtocol = keys.choice('auth', AUTH, 'sha');
  const privProtocol = keys.choice('priv', PRIV, 'aes');
  const authKey = passphrase(keys, 'auth_password');
  const privKey = passphrase(keys, 'priv_password');
  if (privProtocol === 'des' && !getCiphers().includes('des-cbc')) {
    keys.mistake('priv', 'cannot be des, which OpenSSL 3 leaves out unless node runs with --openssl-legacy-provider');
  }
  const { SecurityLevel, AuthProtocols, PrivProtocols } = snmpClient();
  if (authKey === undefined) {
    if (privKey !== undefined) keys.mistake('auth_password', 'is missing; a priv_password needs one');
    return { name, level: SecurityLevel.noAuthNoPriv };
  }
  const auth = { name, authProtocol: AuthProtocols[authProtocol] ?? 0, authKey };
  if (privKey === undefined) return { ...auth, level: SecurityLevel.authNoPriv };
  return { ...auth, level: SecurityLevel.authPriv, privProtocol: PrivProtocols[privProtocol] ?? 0, privKey };
}

function passphrase(keys: Section, key: string): string | undefined {
  const text = keys.secret(key);
  if (text !== undefined && text.length < 8) keys.mistake(key, 'must have at least 8 characters, as RFC 3414 demands');
  return text;
}

/** What the configuration asks for; all presets where it asks for nothing. */
function objectsOf(keys: Section): Objects {
  const configured = configuredObjects(keys);
  const nothing = configured.scalars.length + configured.tables.length === 0;
  const names = Object.keys(presets);
  const wanted = keys.texts('presets', nothing ? names : []);
  for (const preset of wanted) {
    if (!names.includes(preset)) keys.mistake('presets', `may have ${names.join(', ')}, got ${JSON.stringify(preset)}`);
  }
  if (nothing && wanted.length === 0) keys.mistake('presets', 'must have one, where there are no oids and no tables');
  const all = [...wanted.map((preset) => presets[preset]).filter((preset) => preset !== undefined), configured];
  return { scalars: all.flatMap(({ scalars }) => scalars), tables: all.flatMap(({ tables }) => tables) };
}
