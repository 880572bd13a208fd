import { httpJson } from './http-json/http-json.js';
import { prometheus } from './prometheus/prometheus.js';
import type { Protocol } from './protocol.js';

/** Every protocol that `third_party` of the configuration may name. */
export const protocols: readonly Protocol[] = [httpJson, prometheus];
