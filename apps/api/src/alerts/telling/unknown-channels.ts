import { quote } from '@device-metrics/domain';
import type { Mistake } from '../reader.js';
import type { Route } from './config.js';

/** What a route names that is no channel: nobody would hear of its alerts there. */
export function unknownChannels({ channels, escalate }: Route, known: readonly string[]): Mistake[] {
  const there = known.length === 0 ? 'there is none yet' : `there are ${known.map((name) => quote(name)).join(', ')}`;
  const unknown = (field: string, names: readonly string[]): Mistake[] =>
    names
      .filter((name) => !known.includes(name))
      .map((name) => ({ field, reason: `must name channels, got ${quote(name)}; ${there}` }));
  return [...unknown('channels', channels), ...unknown('escalate.channels', escalate?.channels ?? [])];
}
