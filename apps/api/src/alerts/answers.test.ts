import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { groupsOf, worstFirst } from './answers.js';
import type { AlertState } from './evaluation/alert-state.js';
import { SEVERITIES, type Rule } from './rules/rule.js';

const states = fc.array(
  fc.record({
    rule: fc.constantFrom('a', 'b'),
    subject: fc.constant({ device: 'pc' }),
    phase: fc.constantFrom('pending' as const, 'alerting' as const, 'recovering' as const),
    blind: fc.constant(null),
    since: fc.nat({ max: 20 }),
    episode: fc.option(fc.record({ severity: fc.constantFrom(...SEVERITIES), began: fc.nat({ max: 20 }) })),
  }) as unknown as fc.Arbitrary<AlertState>,
);
const ruleOf = ({ rule }: AlertState): Rule => ({ severity: rule === 'a' ? 'critical' : 'info' }) as Rule;

it('of many alerts the most severe come first, then the newest, and groups count every one', () => {
  fc.assert(
    fc.property(states, (all) => {
      const severity = (one: AlertState): string => one.episode?.severity ?? (one.rule === 'a' ? 'critical' : 'info');
      const place = (one: AlertState): [number, number] => [
        -SEVERITIES.findIndex((each) => each === severity(one)),
        -(one.episode?.began ?? one.since),
      ];
      const sorted = worstFirst(all, ruleOf);
      expect(new Set(sorted)).toEqual(new Set(all));
      const places = sorted.map(place);
      expect(places).toEqual([...places].sort(([a, b], [c, d]) => a - c || b - d));
      const groups = groupsOf(all, ruleOf);
      for (const { rule, state, severity: its, count } of groups) {
        const members = all.filter((one) => one.rule === rule && one.phase === state && severity(one) === its);
        expect(members).toHaveLength(count);
      }
      expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(all.length);
    }),
  );
});
