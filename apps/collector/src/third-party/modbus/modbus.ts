import type { Source } from '../../run/source.js';
import type { Protocol } from '../protocol.js';
import { readRegisters } from './read.js';
import { registerOf } from './register.js';

/** Modbus TCP: meters, inverters, heat pumps, and serial devices behind a gateway. */
export const modbus: Protocol = {
  name: 'modbus',
  configure(keys, name) {
    const target = {
      host: keys.text('host'),
      port: keys.count('port', 502, 1, 65_535),
      unitId: keys.count('unit_id', 1, 0, 255),
      requestTimeout: keys.duration('request_timeout', 2_000, 10, 60_000),
    };
    const registers = keys.sections('registers').map(registerOf);
    if (registers.length === 0) keys.mistake('registers', 'must have at least one register');
    return (): Source => ({
      name,
      read: async (signal, parts) => {
        await readRegisters(target, registers, signal, parts);
        return [];
      },
    });
  },
};
