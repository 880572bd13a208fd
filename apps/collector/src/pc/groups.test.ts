import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { metricDefinition } from '@device-metrics/domain';
import { Mistakes } from '@device-metrics/settings';
import { GroupReader, laptop } from '../../test/pc.js';
import { PartsOfRun } from '../run/parts.js';
import { Section } from '../config/section.js';
import { pcSource } from './group.js';
import { pcGroups } from './groups.js';
import { thisMachine } from './machine.js';
import { memory } from './memory.js';

describe('the groups of PC metrics', () => {
  it('give only metrics of the catalogue', () => {
    for (const metric of pcGroups.flatMap(({ metrics }) => metrics))
      expect([metric, metricDefinition(metric)?.unit]).not.toContain(undefined);
  });

  it.each(['docs/pc.md', 'collector.example.yaml'])('all stand in %s', (file) => {
    const text = readFileSync(new URL(`../../../../${file}`, import.meta.url), 'utf8');
    for (const { name } of pcGroups) expect(text).toMatch(new RegExp(`^(\\| \`${name}\` |  ${name}:)`, 'm'));
  });

  it('say once what a machine lacks', async () => {
    const said: string[] = [];
    const mem = () => Promise.resolve({ total: 1_000, available: 600, free: 100, swaptotal: 0, swapfree: 0 });
    const machine = { ...laptop, platform: 'darwin', si: { mem } } as unknown as typeof laptop;
    const tools = { machine, say: (text: string) => void said.push(text) };
    const source = pcSource(memory, new Section({}, '', new Mistakes()))(tools);
    for (let run = 0; run < 3; run += 1) await source.read(new AbortController().signal, new PartsOfRun());
    expect(said).toEqual([
      'memory: this machine does not tell system.memory.linux.available, system.paging.usage, system.paging.utilization, system.paging.faults, system.paging.operations',
    ]);
  });

  it.each(pcGroups.map((group) => [group.name, group] as const))('%s reads this machine', async (_name, group) => {
    const reader = new GroupReader(group, thisMachine());
    await reader.read();
    for (const { value } of await reader.readings()) expect(Number.isFinite(value)).toBe(true);
  });
});
