import { didYouMean, quote, unitByPattern } from '@device-metrics/domain';
import { secretsOfNoUrl } from '../../config/redact.js';
import type { Section } from '../../config/section.js';
import { linesOf } from '../line-readings.js';
import { parseMapping } from '../mapping.js';
import type { Protocol } from '../protocol.js';
import { hasSourceTimes } from '../source-times.js';
import { tlsTrust } from '../tls-trust.js';
import { takeCredentials } from '../url-credentials.js';
import type { Broker } from './connection.js';
import type { Topic } from './message.js';
import { MqttSource } from './mqtt-source.js';
import { parseTopic, type TopicPattern } from './topic.js';

/** Subscribes to topics of an MQTT broker: Home Assistant, Zigbee2MQTT, Tasmota and whatever else publishes numbers. */
export const mqtt: Protocol = {
  name: 'mqtt',
  configure(keys, name) {
    const broker = brokerOf(keys);
    const single = keys.has('topic') ? [topicOf(keys)] : [];
    const listed = keys.sections('topics').map((entry) => {
      const topic = topicOf(entry);
      entry.end();
      return topic;
    });
    const online = keys.has('online') ? keys.parsed('online', parseTopic) : undefined;
    if (single.length + listed.length === 0) {
      keys.mistake(
        'topic',
        'is missing; it must be a topic, as in sensors/{device}/{metric}, or topics a list of them',
      );
    }
    return ({ say }) => new MqttSource(name, broker, { topics: [...single, ...listed], online }, say);
  },
};

const PROTOCOLS = ['mqtt:', 'mqtts:', 'ws:', 'wss:'];

function brokerOf(keys: Section): Broker {
  const url = keys.parsed('url', (text) => {
    if (!URL.canParse(text) || !PROTOCOLS.includes(new URL(text).protocol) || new URL(text).host === '') {
      secretsOfNoUrl(text).forEach((secret) => keys.hide(secret));
      throw new Error(
        `must be a URL that begins with mqtt://, mqtts://, ws:// or wss:// and names a host, got ${quote(text)}`,
      );
    }
    return new URL(text);
  });
  const ofUrl = url && takeCredentials(url);
  const username = keys.optionalText('username') ?? ofUrl?.username;
  const password = keys.secret('password') ?? ofUrl?.password;
  if (password !== undefined) keys.hide(password);
  if (password !== undefined && username === undefined) keys.mistake('username', 'is missing; a password needs one');
  return { url: url?.href ?? 'mqtt://invalid', username, password, trust: tlsTrust(keys) };
}

const NOTHING: TopicPattern = { filter: '', names: [], match: () => undefined };

function topicOf(keys: Section): Topic {
  const timestamps = hasSourceTimes(keys);
  const topic: Topic = {
    pattern: keys.parsed('topic', parseTopic) ?? NOTHING,
    metric: keys.optionalText('metric'),
    path: keys.optionalText('path'),
    mapping: keys.has('mapping') ? keys.parsed('mapping', parseMapping) : undefined,
    unit: keys.optionalText('unit'),
    units: unitByPattern(Object.entries(keys.textsByName('units'))),
    scale: keys.number('scale', 1),
    labels: keys.textsByName('labels'),
    retained: keys.flag('retained', true),
    timestamps,
    lines: linesOf(keys, timestamps),
  };
  for (const [braces, name = ''] of (topic.metric ?? '').matchAll(/\{(\w+)\}/g)) {
    if (topic.pattern === NOTHING || topic.pattern.names.includes(name)) continue;
    keys.mistake('metric', `has ${braces}, which the topic has not${didYouMean(name, topic.pattern.names)}`);
  }
  const useless = ['metric', 'path', 'unit', 'units', 'scale'].filter((key) => keys.has(key));
  if (topic.mapping && useless.length > 0) {
    keys.mistake('mapping', `does not go with ${useless.join(', ')}; the mapping says it`);
  }
  const ofLines = ['metric', 'path', 'mapping', 'unit', 'scale'].filter((key) => keys.has(key));
  if (topic.lines && ofLines.length > 0) {
    keys.mistake('format', `influx does not go with ${ofLines.join(', ')}; the lines say it, and units gives units`);
  }
  return topic;
}
