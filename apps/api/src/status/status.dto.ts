import { Obeys, Optional, quote, type Rule } from '@device-metrics/contract';
import { ApiProperty, ApiPropertyOptional } from '@device-metrics/contract/openapi';

const INCIDENT_STATES = ['investigating', 'identified', 'monitoring', 'resolved', 'planned'] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];
/** Stands in place of a password that is set. */
export const HIDDEN = '********';

const text =
  (longest: number, least = 1): Rule =>
  (value) =>
    typeof value === 'string' && value.trim().length >= least && value.length <= longest
      ? undefined
      : `must be a text of ${least} to ${longest} characters, got ${quote(value)}`;
const flag: Rule = (value) => (typeof value === 'boolean' ? undefined : `must be true or false, got ${quote(value)}`);
const time: Rule = (value) =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value))
    ? undefined
    : `must be an RFC 3339 time as in "2026-01-15T10:00:00Z", got ${quote(value)}`;
const state: Rule = (value) =>
  INCIDENT_STATES.some((one) => one === value)
    ? undefined
    : `must be one of ${INCIDENT_STATES.join(', ')}, got ${quote(value)}`;
const tags: Rule = (value) =>
  Array.isArray(value) && value.length <= 32 && value.every((tag) => typeof tag === 'string' && /^[^=]+=/.test(tag))
    ? undefined
    : `must be a list of at most 32 tags such as "room=lab", got ${quote(value)}`;
const names: Rule = (value) =>
  typeof value === 'string' && /^(display_name|device_name|tag:.{1,64})$/.test(value)
    ? undefined
    : `must be display_name, device_name or tag:<name>, got ${quote(value)}`;
const password: Rule = (value) =>
  value === '' || (typeof value === 'string' && value.length >= 8 && value.length <= 200)
    ? undefined
    : 'must be a text of 8 to 200 characters, or empty for none';

/** What the status page shows, and to whom. */
export class StatusPageDto {
  @ApiProperty({
    description: 'Whether there is a page: everybody who reaches this server may read it.',
    example: true,
  })
  @Obeys(flag)
  enabled!: boolean;

  @ApiProperty({ example: 'Laboratory' })
  @Obeys(text(128))
  title!: string;

  @ApiPropertyOptional({ description: 'What stands below the title.', example: 'Ask it@example.org.' })
  @Optional()
  @Obeys(text(2_000, 0))
  text?: string;

  @ApiProperty({
    description: 'The devices that have all these tags, `name=value`, in which `*` stands for any characters.',
    type: [String],
    example: ['public=yes'],
  })
  @Obeys(tags)
  tags!: string[];

  @ApiProperty({
    description:
      'What the devices are called: `display_name` (those without one are numbered), `device_name`, or `tag:<name>`: all of one value of ' +
      'this tag are one line.',
    example: 'display_name',
  })
  @Obeys(names)
  names!: string;

  @ApiPropertyOptional({
    description:
      'What readers have to enter; empty for none. It is never shown again: stars stand for one that is set, and keep it.',
    example: HIDDEN,
  })
  @Optional()
  @Obeys(password)
  password?: string;
}

/** What there is to say of an incident. */
export class IncidentChangeDto {
  @ApiProperty({ example: 'The switch of the laboratory has failed' })
  @Obeys(text(200))
  title!: string;

  @ApiProperty({ enum: INCIDENT_STATES, example: 'identified' })
  @Obeys(state)
  state!: IncidentState;

  @ApiPropertyOptional({
    description: 'What is new; it stands with the time of now.',
    example: 'A new one is on its way.',
  })
  @Optional()
  @Obeys(text(4_000))
  text?: string;

  @ApiPropertyOptional({ description: 'When it began. Default: now, or as it was.', example: '2026-01-15T10:00:00Z' })
  @Optional()
  @Obeys(time)
  began?: string;
}

export class IncidentUpdateDto {
  @ApiProperty({ example: '2026-01-15T10:00:00.000Z' })
  time!: string;

  @ApiProperty({ enum: INCIDENT_STATES, example: 'identified' })
  state!: string;

  @ApiProperty({ example: 'A new one is on its way.' })
  text!: string;
}

export class IncidentDto {
  @ApiProperty({ example: 'kVn0qZ3rQ1' })
  id!: string;

  @ApiProperty({ example: 'The switch of the laboratory has failed' })
  title!: string;

  @ApiProperty({ enum: INCIDENT_STATES, example: 'identified' })
  state!: string;

  @ApiProperty({ example: '2026-01-15T10:00:00.000Z' })
  began!: string;

  @ApiProperty({
    description: 'When it was resolved; null while it is not.',
    type: String,
    nullable: true,
    example: null,
  })
  ended!: string | null;

  @ApiProperty({ description: 'The newest first.', type: [IncidentUpdateDto] })
  updates!: IncidentUpdateDto[];
}

export class IncidentsDto {
  @ApiProperty({ description: 'The newest first.', type: [IncidentDto] })
  incidents!: IncidentDto[];
}

export class StatusDayDto {
  @ApiProperty({ example: '2026-01-15' })
  day!: string;

  @ApiProperty({
    description: 'How much of the day it was there, percent; null where it was not known yet.',
    type: Number,
    nullable: true,
    example: 99.98,
  })
  percent!: number | null;
}

export class StatusLineDto {
  @ApiProperty({ example: 'Microscope' })
  name!: string;

  @ApiProperty({ description: '`part`: some of its devices are away.', enum: ['up', 'part', 'down'], example: 'up' })
  state!: string;

  @ApiProperty({
    description: 'Of all days together; null where nothing is known.',
    type: Number,
    nullable: true,
    example: 99.9,
  })
  percent!: number | null;

  @ApiProperty({ description: 'The last 90 days, the oldest first.', type: [StatusDayDto] })
  days!: StatusDayDto[];
}

export class PublicStatusDto {
  @ApiProperty({ example: 'Laboratory' })
  title!: string;

  @ApiProperty({ example: 'Ask it@example.org.' })
  text!: string;

  @ApiProperty({ description: 'When this was so.', example: '2026-01-15T10:00:00.000Z' })
  time!: string;

  @ApiProperty({ description: 'By name.', type: [StatusLineDto] })
  lines!: StatusLineDto[];

  @ApiProperty({ description: 'Those of the last 90 days; the open ones first.', type: [IncidentDto] })
  incidents!: IncidentDto[];
}

export class StatusPasswordDto {
  @ApiProperty({ example: 'correct horse' })
  @Obeys(text(200))
  password!: string;
}

export class StatusPassDto {
  @ApiProperty({ description: 'For the header `x-status-pass`; it holds for a day.', example: '1768471200000.kVn0…' })
  pass!: string;
}
