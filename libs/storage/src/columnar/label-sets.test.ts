import { expect, it } from '@jest/globals';
import { labelsKey } from '@device-metrics/domain';
import { LabelSets } from './label-sets.js';

it('series with the same labels have one text and one object of them, and others have their own', () => {
  const sets = new LabelSets();
  const rack = (name: string) => sets.of(labelsKey({ job: 'node', rack: name }));

  expect(rack('r1')).toBe(rack('r1'));
  expect(rack('r1').labels).toEqual({ job: 'node', rack: 'r1' });
  expect(rack('r2').labels).toEqual({ job: 'node', rack: 'r2' });
  expect(() => Object.assign(rack('r1').labels, { rack: 'r3' })).toThrow(TypeError);
});

it('sets stay what they are where very many others have come since', () => {
  const sets = new LabelSets();
  const first = sets.of(labelsKey({ number: 'first' }));
  for (let number = 0; number < 50_000; number += 1) sets.of(labelsKey({ number: String(number) }));

  expect(first.labels).toEqual({ number: 'first' });
  expect(sets.of(labelsKey({ number: 'first' })).key).toBe(first.key);
});
