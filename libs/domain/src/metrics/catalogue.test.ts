import { describe, expect, it } from '@jest/globals';
import { labelMeaning, metricCatalogue, metricDefinition, metricKind, oneNumber, stateLabels } from './catalogue.js';
import { labelCatalogue } from './labels.js';

describe('the metric catalogue', () => {
  it.each(Object.entries(metricCatalogue))('%s has labels that are known, and one number that fits them', (name) => {
    const { kind, labels, unit, oneNumber: number } = metricCatalogue[name] ?? metricDefinition('')!;
    for (const label of labels) expect(labelCatalogue).toHaveProperty([label]);
    const states = labels.filter((label) => labelMeaning(name, label) === 'state');
    // Several labels of states would make several wholes.
    expect(states.length).toBeLessThanOrEqual(1);
    const known = states.flatMap((label) => labelCatalogue[label]?.values ?? []);
    const named = 'states' in number ? (number.states ?? []) : [];
    expect(known).toEqual(expect.arrayContaining([...named]));
    if (number.as === 'share' || number.as === 'sum' || number.as === 'state') expect(states).toHaveLength(1);
    if (kind === 'counter') expect(['rate', 'share']).toContain(number.as);
    else expect(number.as).not.toBe('rate');
    expect(unit).not.toBe('');
  });

  it('tells states of a whole from things of their own', () => {
    expect(labelMeaning('system.memory.usage', 'system.memory.state')).toBe('state');
    expect(labelMeaning('system.cpu.time', 'cpu.logical_number')).toBe('thing');
    // A metric of another system, with a label of the conventions.
    expect(labelMeaning('k8s.pod.cpu.time', 'cpu.mode')).toBe('state');
    expect(labelMeaning('queue.length', 'state')).toBe('thing');
    // As the OpenTelemetry Collector has called it until now.
    expect(stateLabels('system.cpu.time', { cpu: 'cpu0', state: 'idle' })).toEqual(['state']);
    expect(stateLabels('constructor', { toString: 'x', constructor: 'y' })).toEqual([]);
  });

  it('says what a person means by one number, for metrics that it does not know as well', () => {
    expect(oneNumber('system.memory.usage')).toEqual({ as: 'share', states: ['used'] });
    expect(oneNumber('system.network.io')).toEqual({ as: 'rate' });
    expect(oneNumber('hw.temperature')).toEqual({ as: 'value' });
    expect(oneNumber('systemd.unit.state')).toEqual({ as: 'state' });
    expect([oneNumber('http_requests_total').as, oneNumber('room.humidity').as]).toEqual(['rate', 'value']);
    expect([metricKind('system.disk.io'), metricKind('system.memory.limit'), metricKind('valueOf')]).toEqual([
      'counter',
      'updowncounter',
      'gauge',
    ]);
  });
});
