import { createRequire } from 'node:module';

type NetSnmp = typeof import('net-snmp').default;

const load = createRequire(import.meta.url);

/** Loaded with the first device: it takes 15 MiB, and many collectors know none. */
export const snmpClient = (): NetSnmp => load('net-snmp') as NetSnmp;
