import { createRequire } from 'node:module';
import type netSnmp from 'net-snmp';

const load = createRequire(import.meta.url);

/** Loaded with the first device: it takes 15 MiB, and many collectors know none. */
export const snmpClient = (): typeof netSnmp => load('net-snmp') as typeof netSnmp;
