import { Obeys, Optional } from '@device-metrics/contract';
import { deviceNameRule, toRfc3339, UNPRINTABLE, wrong, type Rule } from '@device-metrics/domain';
import type { CollectorState, StoredCollector } from '@device-metrics/storage';
import { ApiProperty, ApiPropertyOptional } from '@device-metrics/contract/openapi';

const MOST_DEVICES = 10_000;

const deviceList: Rule = (value) => {
  if (!Array.isArray(value) || value.length > MOST_DEVICES)
    return wrong(`an array of at most ${MOST_DEVICES} names`, value);
  for (const name of value) {
    const reason = deviceNameRule(name);
    if (reason !== undefined) return `names ${reason}`;
  }
  return undefined;
};

const word: Rule = (value) =>
  typeof value === 'string' && value.length <= 64 && !UNPRINTABLE.test(value)
    ? undefined
    : wrong('a string of at most 64 printable characters', value);

/** What a collector says of itself. */
export class CollectorNewsDto {
  @ApiPropertyOptional({ type: [String], example: ['rack-ups'], description: 'Devices that it reads, besides its PC.' })
  @Optional()
  @Obeys(deviceList)
  devices?: string[];

  @ApiPropertyOptional({ example: '0.1.0' })
  @Optional()
  @Obeys(word)
  version?: string;

  @ApiPropertyOptional({ example: 'linux x64' })
  @Optional()
  @Obeys(word)
  platform?: string;
}

export class JoinDto extends CollectorNewsDto {
  @ApiProperty({ example: 'ABCD-EFGH-JKMN-PQRS', description: 'Of an invitation.' })
  @Obeys((value) => (typeof value === 'string' && value.length <= 200 ? undefined : wrong('a code', value)))
  code!: string;

  @ApiProperty({ example: 'lab-pc-1', description: 'What it calls its PC.' })
  @Obeys(deviceNameRule)
  device_name!: string;

  @ApiPropertyOptional({
    example: 'dm_collector_…',
    description:
      'The token that it had before: it then stays the collector that it was. One that it sent with before it joined shows that ' +
      'the samples of its device are its own.',
  })
  @Optional()
  @Obeys((value) => (typeof value === 'string' && value.length <= 200 ? undefined : 'must be a token'))
  previous_token?: string;
}

const STATES = ['active', 'conflict', 'left', 'revoked', 'moved'];

export class CollectorDto {
  @ApiProperty({ example: '0f8fad5b-d9cb-469f-a165-70867728950e' })
  id!: string;

  @ApiProperty({ example: 'vm', description: 'What it calls its PC.' })
  name!: string;

  @ApiProperty({ example: 'vm-2', description: 'What its PC is called here.' })
  device_name!: string;

  @ApiProperty({
    enum: STATES,
    example: 'active',
    description:
      '`conflict`: its name belongs to another, and an admin decides what it is; until then nothing of it is taken.',
  })
  state!: CollectorState;

  @ApiProperty({ type: [String], example: ['vm-2', 'rack-ups'], description: 'Devices that belong to it.' })
  devices!: string[];

  @ApiProperty({ example: '0.1.0' })
  version!: string;

  @ApiProperty({ example: 'linux x64' })
  platform!: string;

  @ApiProperty({ example: '192.0.2.7' })
  address!: string;

  @ApiProperty({ example: '2026-01-15T10:00:00.000Z' })
  joined_at!: string;

  @ApiProperty({ example: '2026-01-15T10:00:00.000Z', description: 'To the minute.' })
  seen_at!: string;
}

export class CollectorsDto {
  @ApiProperty({ type: [CollectorDto] })
  collectors!: CollectorDto[];
}

export class RefusedDeviceDto {
  @ApiProperty({ example: 'rack-ups' })
  device_name!: string;

  @ApiProperty({ example: 'belongs to another collector, lab-pc-2' })
  reason!: string;
}

/** A collector, as it sees itself. */
export class OwnCollectorDto extends CollectorDto {
  @ApiProperty({ type: [RefusedDeviceDto], description: 'Devices that it may not send samples of.' })
  refused!: RefusedDeviceDto[];
}

export class JoinedDto extends OwnCollectorDto {
  @ApiProperty({ example: 'dm_collector_5f0c2d1a9b3e_…', description: 'Its credential; shown once.' })
  token!: string;

  @ApiPropertyOptional({
    example: 'MCowBQYDK2VwAyEA…',
    description:
      'Ed25519, SPKI in Base64: what this server signs packages of the collector with, to be known again by.',
  })
  update_key?: string;
}

const DECISIONS = ['new', 'same'] as const;

export class DecisionDto {
  @ApiProperty({
    enum: DECISIONS,
    example: 'new',
    description: '`new`: a new device, called `device_name`; `same`: the same device, moved to this machine.',
  })
  @Obeys((value) => (DECISIONS.some((one) => one === value) ? undefined : wrong('new or same', value)))
  decision!: (typeof DECISIONS)[number];

  @ApiPropertyOptional({ example: 'vm-2' })
  @Optional()
  @Obeys(deviceNameRule)
  device_name?: string;
}

export function collectorDto(collector: StoredCollector, devices: string[]): CollectorDto {
  const { id, name, deviceName, state, version, platform, address, joinedAt, seenAt } = collector;
  return {
    id,
    name,
    device_name: deviceName,
    state,
    devices,
    version,
    platform,
    address,
    joined_at: toRfc3339(joinedAt),
    seen_at: toRfc3339(seenAt),
  };
}
