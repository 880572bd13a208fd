import { Obeys, Optional, quote, type Rule } from '@device-metrics/contract';
import { ApiProperty, ApiPropertyOptional, TEXTS } from '@device-metrics/contract/openapi';
import { Repeatable } from '../http/series-query.dto.js';
import { ETAG } from '../http/entity-tag.js';

const STATES = ['pending', 'alerting', 'recovering', 'normal', 'no_data', 'error'];

const RULE_EXAMPLE = {
  name: 'File system almost full',
  select: { metric: 'system.filesystem.utilization' },
  condition: { above: 0.9 },
  for: '5m',
};

/** What an alert is about. */
class SubjectDto {
  @ApiProperty({ description: 'Empty: this server.', example: 'lab-pc-1' })
  device_name!: string;

  @ApiProperty({ type: String, nullable: true, example: 'system.filesystem.utilization' })
  metric_name!: string | null;

  @ApiProperty({ ...TEXTS, example: { 'system.filesystem.mountpoint': '/' } })
  labels!: Record<string, string>;
}

export class AlertDto extends SubjectDto {
  @ApiProperty({
    description: 'Of the episode; left empty while it only pends.',
    example: '0b0c1f3e-7e0f-4b6e-9d5b-1f7d',
  })
  id!: string;

  @ApiProperty({ example: 'File system almost full' })
  rule!: string;

  @ApiProperty({ enum: ['info', 'warning', 'critical'], example: 'warning' })
  severity!: string;

  @ApiProperty({
    description: '`recovering`: right again, but not for long enough. `no_data` and `error`: it cannot be known.',
    enum: STATES,
    example: 'alerting',
  })
  state!: string;

  @ApiProperty({ description: 'What is wrong, in words.', example: 'lab-pc-1, mountpoint /: 93 % (level 90 %)' })
  summary!: string;

  @ApiProperty({ type: Number, nullable: true, example: 0.93 })
  value!: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 0.9 })
  level!: number | null;

  @ApiProperty({ description: 'When the state began.', example: '2026-01-15T10:00:00.000Z' })
  since!: string;

  @ApiProperty({
    description: 'Why nobody is told; null where people are.',
    type: String,
    nullable: true,
    example: null,
  })
  suppressed!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Who knows of it.', example: 'anna' })
  acknowledged_by!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Of who knows of it.', example: 'Disk is ordered.' })
  comment!: string | null;

  @ApiProperty({ type: [String], description: 'The channels that were told.', example: ['mail'] })
  told!: string[];
}

export class AlertGroupDto {
  @ApiProperty({ example: 'Device offline' })
  rule!: string;

  @ApiProperty({ enum: STATES, example: 'alerting' })
  state!: string;

  @ApiProperty({ enum: ['info', 'warning', 'critical'], example: 'critical' })
  severity!: string;

  @ApiProperty({ example: 12 })
  count!: number;
}

export class AlertsDto {
  @ApiProperty({
    description: 'Everything that is not normal and is asked for; the most severe first, then the newest.',
    type: [AlertDto],
  })
  alerts!: AlertDto[];

  @ApiProperty({ description: 'How many there are, also beyond `limit`.', example: 13 })
  count!: number;

  @ApiProperty({ description: 'The same by rule, state and severity.', type: [AlertGroupDto] })
  groups!: AlertGroupDto[];
}

export class AlertChangeDto extends SubjectDto {
  @ApiProperty({ example: 42 })
  id!: number;

  @ApiProperty({ example: '2026-01-15T10:00:00.000Z' })
  time!: string;

  @ApiProperty({ example: 'File system almost full' })
  rule!: string;

  @ApiProperty({ example: 'warning' })
  severity!: string;

  @ApiProperty({ example: 'pending' })
  from!: string;

  @ApiProperty({ example: 'alerting' })
  to!: string;

  @ApiProperty({ example: 'lab-pc-1, mountpoint /: 93 % (level 90 %)' })
  summary!: string;

  @ApiProperty({ type: Number, nullable: true, example: 0.93 })
  value!: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 0.9 })
  level!: number | null;

  @ApiProperty({ type: String, nullable: true, example: 'not told: silence move' })
  note!: string | null;
}

export class AlertHistoryDto {
  @ApiProperty({ description: 'The newest first.', type: [AlertChangeDto] })
  changes!: AlertChangeDto[];

  @ApiPropertyOptional({ description: '`before` of the next page; left out on the last one.', example: 41 })
  next_before?: number;
}

const time: Rule = (value) =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value))
    ? undefined
    : `must be an RFC 3339 time as in "2026-01-15T10:00:00Z", got ${quote(value)}`;
const text: Rule = (value) =>
  typeof value === 'string' && value.length > 0 && value.length <= 255
    ? undefined
    : `must be a text of 1 to 255 characters, got ${quote(value)}`;
const texts: Rule = (value) =>
  Array.isArray(value) ? value.map(text).find((reason) => reason !== undefined) : text(value);
const whole =
  (max: number): Rule =>
  (value) =>
    typeof value === 'string' && /^[1-9]\d{0,14}$/.test(value) && Number(value) <= max
      ? undefined
      : `must be an integer from 1 to ${max}, got ${quote(value)}`;

export class AlertsQuery {
  @ApiPropertyOptional({
    description: 'Only those in these states; several are repeated. Left out: all that is not normal.',
    type: [String],
    enum: STATES,
    example: ['alerting', 'recovering'],
  })
  @Optional()
  @Repeatable()
  @Obeys((value) => {
    const wrong: unknown = Array.isArray(value) ? value.find((one: unknown) => !STATES.includes(one as string)) : value;
    return wrong === undefined ? undefined : `must be of ${STATES.join(', ')}, got ${quote(wrong)}`;
  })
  state?: string[];

  @ApiPropertyOptional({
    description: 'Only those of these rules; several are repeated.',
    type: [String],
    example: ['Device offline'],
  })
  @Optional()
  @Repeatable()
  @Obeys(texts)
  rule?: string[];

  @ApiPropertyOptional({ description: 'Only those of this device.', example: 'lab-pc-1' })
  @Optional()
  @Obeys(text)
  device_name?: string;

  @ApiPropertyOptional({ description: 'At most so many; default: all.', example: '100' })
  @Optional()
  @Obeys(whole(10_000))
  limit?: string;
}

export class AlertHistoryQuery {
  @ApiPropertyOptional({ example: 'lab-pc-1' })
  @Optional()
  @Obeys(text)
  device_name?: string;

  @ApiPropertyOptional({ example: 'Device offline' })
  @Optional()
  @Obeys(text)
  rule?: string;

  @ApiPropertyOptional({ example: '2026-01-15T00:00:00Z' })
  @Optional()
  @Obeys(time)
  start_time?: string;

  @ApiPropertyOptional({ example: '2026-01-16T00:00:00Z' })
  @Optional()
  @Obeys(time)
  end_time?: string;

  @ApiPropertyOptional({ description: 'At most so many; default 100.', example: '100' })
  @Optional()
  @Obeys(whole(1_000))
  limit?: string;

  @ApiPropertyOptional({ description: '`next_before` of the page before.', example: '41' })
  @Optional()
  @Obeys(whole(Number.MAX_SAFE_INTEGER))
  before?: string;
}

export class AcknowledgeDto {
  @ApiPropertyOptional({ example: 'Disk is ordered.', maxLength: 1000 })
  @Optional()
  @Obeys((value) =>
    typeof value === 'string' && value.length <= 1_000
      ? undefined
      : `must be a text of at most 1000 characters, got ${quote(value)}`,
  )
  comment?: string;
}

const object: Rule = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? undefined
    : `must be an object, got ${quote(value)}`;

export class DryRunDto {
  @ApiProperty({
    description: 'A rule as docs/alerts.md describes it.',
    type: 'object',
    additionalProperties: true,
    example: RULE_EXAMPLE,
  })
  @Obeys(object)
  rule!: Record<string, unknown>;

  @ApiPropertyOptional({ description: 'Default: 7 days ago.', example: '2026-01-08T00:00:00Z' })
  @Optional()
  @Obeys(time)
  start_time?: string;

  @ApiPropertyOptional({ description: 'Default: now.', example: '2026-01-15T00:00:00Z' })
  @Optional()
  @Obeys(time)
  end_time?: string;
}

export class FiringDto extends SubjectDto {
  @ApiProperty({ example: '2026-01-15T10:00:00.000Z' })
  began!: string;

  @ApiProperty({ type: String, nullable: true, description: 'Null: it would fire still.', example: null })
  ended!: string | null;

  @ApiProperty({ description: 'Milliseconds.', example: 360_000 })
  duration!: number;

  @ApiProperty({ description: 'In words.', example: 'lab-pc-1, mountpoint /: 93 % (level 90 %)' })
  summary!: string;
}

export class DryRunResultDto {
  @ApiProperty({ description: 'How many series or devices the rule watches.', example: 12 })
  subjects!: number;

  @ApiProperty({ description: 'How often it would have fired.', example: 1 })
  count!: number;

  @ApiProperty({ description: 'How far apart the points are that were looked at, milliseconds.', example: 15_000 })
  step!: number;

  @ApiProperty({ description: 'The earliest first; at most 1000.', type: [FiringDto] })
  firings!: FiringDto[];
}

/** A rule, channel, route, silence, maintenance window or dependency. */
export class AlertSetupDto {
  @ApiProperty({ example: 'File system almost full' })
  name!: string;

  @ApiProperty({
    description: '`default`: there from the start. `file`: of `ALERTS_FILE`, which alone changes it.',
    enum: ['default', 'database', 'file'],
    example: 'database',
  })
  origin!: string;

  @ApiProperty({
    description: 'As it was written; secrets are hidden.',
    type: 'object',
    additionalProperties: true,
    example: RULE_EXAMPLE,
  })
  document!: Record<string, unknown>;

  @ApiPropertyOptional({
    description: 'Of a channel: why its last message was not taken. Of a route: what it names that is no channel.',
    example: 'ntfy.sh answered 403',
  })
  failure?: string;

  @ApiPropertyOptional({
    description:
      'That it holds nothing, as it cannot be used: `failure` says why. Another version may have written it.',
    example: true,
  })
  unusable?: boolean;

  @ApiProperty(ETAG)
  etag!: string;
}

export class AlertSetupsDto {
  @ApiProperty({ description: 'By name.', type: [AlertSetupDto] })
  items!: AlertSetupDto[];
}

export class ImportDto {
  @ApiProperty({
    description: 'The text of a file as an export gives it: YAML, or JSON.',
    example: 'rules:\n  - name: Too hot\n    select: {metric: hw.temperature}\n    condition: {above: 80}\n',
  })
  @Obeys((value) =>
    typeof value === 'string' && value.length <= 1_000_000
      ? undefined
      : `must be a text of at most 1000000 characters, got ${quote(value)}`,
  )
  text!: string;
}

export class ImportedDto {
  @ApiProperty({ description: 'How many were written.', example: 1 })
  written!: number;
}

export class AlertMessageDto {
  @ApiProperty({ example: 7 })
  id!: number;

  @ApiProperty({ example: 'mail' })
  channel!: string;

  @ApiProperty({ enum: ['waiting', 'sent', 'failed'], example: 'sent' })
  state!: string;

  @ApiProperty({ example: '2026-01-15T10:00:30.000Z' })
  created!: string;

  @ApiProperty({ type: String, nullable: true, example: '2026-01-15T10:00:31.000Z' })
  sent!: string | null;

  @ApiProperty({ example: 1 })
  attempts!: number;

  @ApiProperty({ type: String, nullable: true, description: 'Why the last attempt failed.', example: null })
  error!: string | null;

  @ApiProperty({ description: 'What it is about.', example: 'default: rule=Device offline, severity=critical' })
  group!: string;

  @ApiProperty({ description: 'How many alerts it tells of.', example: 3 })
  alerts!: number;
}

export class AlertMessagesDto {
  @ApiProperty({ description: 'The newest 200.', type: [AlertMessageDto] })
  messages!: AlertMessageDto[];
}

export class ChannelTypeDto {
  @ApiProperty({ example: 'ntfy' })
  type!: string;

  @ApiProperty({ example: 'https://docs.ntfy.sh/publish/' })
  documentation!: string;

  @ApiProperty({
    description: 'What it takes: for each field its type, meaning, default, and whether it is required and secret.',
    type: 'object',
    additionalProperties: true,
    example: { topic: { type: 'text', meaning: 'topic', required: true, secret: true } },
  })
  fields!: Record<string, unknown>;
}

export class ChannelTypesDto {
  @ApiProperty({ type: [ChannelTypeDto] })
  types!: ChannelTypeDto[];
}
