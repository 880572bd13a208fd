import { Obeys, Optional, UNPRINTABLE, type Rule } from '@device-metrics/contract';
import { ApiProperty, ApiPropertyOptional } from '@device-metrics/contract/openapi';
import { deviceNameRule, quote, wrong } from '@device-metrics/domain';
import { FOR_ALL } from './combine.js';

const MOST_CHARACTERS = 100_000;
const EXAMPLE = 'third_party:\n  - { protocol: snmp, device: lab-switch, host: 192.0.2.10 }\n';

export const tagRule: Rule = (value) =>
  value === FOR_ALL || (typeof value === 'string' && /^[^=,]{1,64}=[^]{0,256}$/.test(value) && !UNPRINTABLE.test(value))
    ? undefined
    : wrong('all, or a tag of devices, as in room=lab', value);

const yamlText: Rule = (value) =>
  typeof value === 'string' && value.length <= MOST_CHARACTERS
    ? undefined
    : wrong(`a text of at most ${MOST_CHARACTERS} characters`, value);

const versionNumber: Rule = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : wrong('an integer of at least 0', value);

const shortText =
  (most: number): Rule =>
  (value) =>
    typeof value === 'string' && value.length <= most && !UNPRINTABLE.test(value)
      ? undefined
      : wrong(`a string of at most ${most} printable characters`, value);

const names: Rule = (value) =>
  Array.isArray(value) && value.length <= 1_000 && value.every((name) => shortText(1_000)(name) === undefined)
    ? undefined
    : `must be an array of at most 1000 strings, got ${quote(value)}`;

const flag: Rule = (value) => (typeof value === 'boolean' ? undefined : wrong('true or false', value));

/** Another version of what collectors read. */
export class ConfigurationWishDto {
  @ApiProperty({ example: EXAMPLE, description: 'A `collector.yaml` with `pc`, `api` and `third_party`, as YAML.' })
  @Obeys(yamlText)
  text!: string;

  @ApiProperty({
    example: 2,
    description:
      'The version that was changed; 0: there was none. Where it is not the newest any more, nothing is written.',
  })
  @Obeys(versionNumber)
  version!: number;
}

export class ConfigurationVersionDto {
  @ApiProperty({ example: 2, description: 'From 1 on, of this tag.' })
  version!: number;

  @ApiProperty({ example: '2026-01-15T10:00:00.000Z' })
  changed_at!: string;

  @ApiProperty({ example: 'user anna', description: 'Who.' })
  changed_by!: string;

  @ApiProperty({ example: false, description: 'Whether this version took it away.' })
  removed!: boolean;
}

export class ConfigurationDto extends ConfigurationVersionDto {
  @ApiProperty({ example: 'room=lab', description: 'Devices with this tag get it; `all`: every device.' })
  tag!: string;

  @ApiProperty({ example: EXAMPLE, description: 'YAML; empty where it was taken away.' })
  text!: string;
}

export class ConfigurationHistoryDto extends ConfigurationDto {
  @ApiProperty({ type: [ConfigurationVersionDto], description: 'The newest 100 versions, the newest first.' })
  history!: ConfigurationVersionDto[];
}

const STATES = ['off', 'current', 'waiting', 'refused'] as const;

/** How a collector stands to what there is for its PC. */
export class CollectorConfigurationDto {
  @ApiProperty({ example: 'lab-pc-1' })
  device_name!: string;

  @ApiProperty({ type: [String], example: ['all', 'room=lab'], description: 'Of which tags it gets what.' })
  tags!: string[];

  @ApiProperty({ example: '3f2a09bc71de', description: 'Of all that it gets; empty: nothing.' })
  version!: string;

  @ApiProperty({ example: '3f2a09bc71de', description: 'That it runs; empty: none.' })
  running!: string;

  @ApiProperty({
    enum: STATES,
    example: 'current',
    description:
      '`off`: it does not ask, as `remote` is off in its own file; `waiting`: it has not asked since the change.',
  })
  state!: (typeof STATES)[number];

  @ApiProperty({ example: '', description: 'Why it was refused.' })
  reason!: string;
}

export class ConfigurationsDto {
  @ApiProperty({ type: [ConfigurationDto] })
  configurations!: ConfigurationDto[];

  @ApiProperty({ type: [CollectorConfigurationDto] })
  collectors!: CollectorConfigurationDto[];
}

/** What a device would get. */
export class PreviewWishDto {
  @ApiProperty({ example: 'lab-pc-1' })
  @Obeys(deviceNameRule)
  device_name!: string;

  @ApiPropertyOptional({ example: 'room=lab', description: 'With `text`: the tag that it would be written for.' })
  @Optional()
  @Obeys(tagRule)
  tag?: string;

  @ApiPropertyOptional({ example: EXAMPLE, description: 'A draft in the place of what there is for `tag`.' })
  @Optional()
  @Obeys(yamlText)
  text?: string;
}

export class ConfigurationMistakeDto {
  @ApiProperty({ example: 'third_party[0].host', description: 'Path or line in the text.' })
  field!: string;

  @ApiProperty({ example: 'is missing; it must be text' })
  reason!: string;
}

export class PreviewDto {
  @ApiProperty({ type: [String], example: ['all', 'room=lab'], description: 'Of which tags it would get what.' })
  tags!: string[];

  @ApiProperty({ example: EXAMPLE, description: 'All of it in one text; empty: nothing.' })
  text!: string;

  @ApiProperty({ example: '3f2a09bc71de' })
  version!: string;

  @ApiProperty({
    example: true,
    description:
      'Whether what its PC allows is known, as the collector has asked; otherwise everything is taken for allowed.',
  })
  allowances_known!: boolean;

  @ApiProperty({
    type: [ConfigurationMistakeDto],
    description: 'For which its collector would refuse it; empty: it is right.',
  })
  errors!: ConfigurationMistakeDto[];
}

/** What a collector says that takes its configuration from the api. */
export class ConfigurationQuestionDto {
  @ApiProperty({ example: '3f2a09bc71de', description: 'The version that it runs; empty: none.' })
  @Obeys(shortText(64))
  running!: string;

  @ApiPropertyOptional({ example: '9c01b7d2a4e8', description: 'The version that it has refused.' })
  @Optional()
  @Obeys(shortText(64))
  refused?: string;

  @ApiPropertyOptional({ example: 'third_party[0].host: is missing; it must be text', description: 'Why.' })
  @Optional()
  @Obeys(shortText(1_000))
  reason?: string;

  @ApiProperty({ example: false, description: 'Whether its PC lets it run programs that a configuration names.' })
  @Obeys(flag)
  commands!: boolean;

  @ApiProperty({ type: [String], example: ['SNMP_COMMUNITY'], description: 'The names that may stand in `${…}`.' })
  @Obeys(names)
  secrets!: string[];
}

export class ConfigurationAnswerDto {
  @ApiProperty({ example: '9c01b7d2a4e8', description: 'Of what there is for its PC; empty: nothing.' })
  version!: string;

  @ApiPropertyOptional({ example: EXAMPLE, description: 'Left out where the collector runs just this.' })
  text?: string;
}
