import { command } from './command/command.js';
import { httpJson } from './http-json/http-json.js';
import { modbus } from './modbus/modbus.js';
import { mqtt } from './mqtt/mqtt.js';
import { nut } from './nut/nut.js';
import { prometheus } from './prometheus/prometheus.js';
import { snmp } from './snmp/snmp.js';
import type { Protocol } from './protocol.js';

/** Every protocol that `third_party` of the configuration may name. */
export const protocols: readonly Protocol[] = [httpJson, prometheus, snmp, mqtt, modbus, nut, command];
