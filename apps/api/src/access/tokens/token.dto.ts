import { Obeys, Optional } from '@device-metrics/contract';
import { toRfc3339, wrong, type Labels } from '@device-metrics/domain';
import type { StoredToken } from '@device-metrics/storage';
import { ApiProperty, ApiPropertyOptional, TEXTS } from '@device-metrics/contract/openapi';
import { ETAG, entityTag } from '../../http/entity-tag.js';
import { timeText } from '../time-text.js';
import { devicesRule, spanRule, nameRule, tagsRule } from '../rules.js';

/** The kinds that people make; those of collectors and shares come with these. */
export const KINDS = ['ingest', 'read', 'admin'] as const;

export class NewTokenDto {
  @ApiProperty({
    enum: KINDS,
    example: 'ingest',
    description: '`ingest` sends samples, `read` reads, `admin` does everything.',
  })
  @Obeys((value) => (KINDS.some((kind) => kind === value) ? undefined : wrong(`one of ${KINDS.join(', ')}`, value)))
  kind!: (typeof KINDS)[number];

  @ApiProperty({ example: 'telegraf', description: 'What people call it.' })
  @Obeys(nameRule)
  name!: string;

  @ApiPropertyOptional({
    type: [String],
    example: ['lab-*'],
    description: 'The devices that it is for; `*` stands for any characters. Left out: all.',
  })
  @Optional()
  @Obeys(devicesRule)
  devices?: string[];

  @ApiPropertyOptional({
    ...TEXTS,
    example: { room: 'lab' },
    description: 'What it reads: devices that have all these tags. Left out: all.',
  })
  @Optional()
  @Obeys(tagsRule)
  tags?: Record<string, string>;

  @ApiPropertyOptional({ example: '90d', description: 'After which time it ends. Left out: never.' })
  @Optional()
  @Obeys(spanRule('100y', '90d'))
  expires_in?: string;
}

export class RotateTokenDto {
  @ApiPropertyOptional({
    example: '1h',
    default: '1h',
    description: 'How long the secret before still works; `0`: not at all.',
  })
  @Optional()
  @Obeys(spanRule('365d', '1h'))
  overlap?: string;
}

/** A token, without its secret. */
export class TokenDto {
  @ApiProperty({ example: '5f0c2d1a9b3e' })
  id!: string;

  @ApiProperty({ example: 'ingest', enum: [...KINDS, 'collector', 'share'] })
  kind!: string;

  @ApiProperty({ example: 'telegraf' })
  name!: string;

  @ApiProperty({ type: [String], nullable: true, example: ['lab-*'] })
  devices!: readonly string[] | null;

  @ApiProperty({ ...TEXTS, nullable: true, example: null })
  tags!: Labels | null;

  @ApiProperty({ example: 'active', enum: ['active', 'expired', 'revoked'] })
  state!: 'active' | 'expired' | 'revoked';

  @ApiProperty({ example: '2026-01-15T10:00:00.000Z' })
  created_at!: string;

  @ApiProperty({ example: 'user anna' })
  created_by!: string;

  @ApiProperty({ type: String, nullable: true, example: null })
  expires_at!: string | null;

  @ApiProperty({ type: String, nullable: true, example: '2026-01-15T10:00:00.000Z', description: 'To the minute.' })
  last_used_at!: string | null;

  @ApiProperty({ type: String, nullable: true, example: null })
  rotated_at!: string | null;

  @ApiProperty(ETAG)
  etag!: string;
}

/** A token that was just made; the only time that its secret is shown. */
export class MadeTokenDto extends TokenDto {
  @ApiProperty({ example: 'dm_ingest_5f0c2d1a9b3e_…', description: 'Shown once.' })
  token!: string;
}

export class TokensDto {
  @ApiProperty({ type: [TokenDto] })
  tokens!: TokenDto[];
}

/** Of a token with its secret, of which only the times tell. */
export const tokenTag = ({ id, rotatedAt, revokedAt }: StoredToken): string => entityTag([id, rotatedAt, revokedAt]);

export function tokenDto(token: StoredToken, now: number): TokenDto {
  const isOver = (token.expiresAt ?? Infinity) <= now;
  return {
    id: token.id,
    kind: token.kind,
    name: token.name,
    devices: token.devices,
    tags: token.tags,
    state: token.revokedAt !== null ? 'revoked' : isOver ? 'expired' : 'active',
    created_at: toRfc3339(token.createdAt),
    created_by: token.createdBy,
    expires_at: timeText(token.expiresAt),
    last_used_at: timeText(token.lastUsedAt),
    rotated_at: timeText(token.rotatedAt),
    etag: tokenTag(token),
  };
}
