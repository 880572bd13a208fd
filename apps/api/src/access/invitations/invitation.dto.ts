import { Obeys, Optional } from '@device-metrics/contract';
import { toRfc3339, wrong, type Labels } from '@device-metrics/domain';
import type { StoredInvitation } from '@device-metrics/storage';
import { ApiProperty, ApiPropertyOptional, TEXTS } from '@device-metrics/contract/openapi';
import { spanRule, tagsRule } from '../rules.js';

const MOST_USES = 10_000;

export class NewInvitationDto {
  @ApiPropertyOptional({ example: 1, default: 1, description: 'How many collectors may join with it.' })
  @Optional()
  @Obeys((value) =>
    Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MOST_USES
      ? undefined
      : wrong(`an integer from 1 to ${MOST_USES}`, value),
  )
  uses?: number;

  @ApiPropertyOptional({ example: '1h', default: '1h', description: 'After which time it ends.' })
  @Optional()
  @Obeys(spanRule('365d', '1h'))
  expires_in?: string;

  @ApiPropertyOptional({
    ...TEXTS,
    example: { room: 'lab' },
    description: 'Tags for the devices that join.',
  })
  @Optional()
  @Obeys(tagsRule)
  tags?: Record<string, string>;

  @ApiPropertyOptional({
    example: 'https://metrics.example.org',
    description: 'Where collectors reach this server. Left out: as this request did.',
  })
  @Optional()
  @Obeys((value) =>
    typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value)
      ? undefined
      : wrong('a URL that begins with http(s)://', value),
  )
  url?: string;
}

/** An invitation, without its code. */
export class InvitationDto {
  @ApiProperty({ example: '5f0c2d1a9b3e' })
  id!: string;

  @ApiProperty({ example: 'active', enum: ['active', 'used', 'expired', 'revoked'] })
  state!: 'active' | 'used' | 'expired' | 'revoked';

  @ApiProperty({ example: 0, description: 'How many collectors have joined with it.' })
  uses!: number;

  @ApiProperty({ example: 1 })
  max_uses!: number;

  @ApiProperty({ ...TEXTS, example: { room: 'lab' } })
  tags!: Labels;

  @ApiProperty({ example: '2026-01-15T10:00:00.000Z' })
  created_at!: string;

  @ApiProperty({ example: 'user anna' })
  created_by!: string;

  @ApiProperty({ example: '2026-01-15T11:00:00.000Z' })
  expires_at!: string;
}

/** An invitation that was just made; the only time that its code is shown. */
export class MadeInvitationDto extends InvitationDto {
  @ApiProperty({ example: 'ABCD-EFGH-JKMN-PQRS', description: 'Shown once.' })
  code!: string;

  @ApiProperty({
    example: 'node apps/collector/dist/main.js join https://metrics.example.org --code ABCD-EFGH-JKMN-PQRS',
  })
  command!: string;
}

export class InvitationsDto {
  @ApiProperty({ type: [InvitationDto] })
  invitations!: InvitationDto[];
}

export function invitationDto(invitation: StoredInvitation, now: number): InvitationDto {
  const { id, uses, maxUses, tags, createdAt, createdBy, expiresAt, revokedAt } = invitation;
  const isUsed = uses >= maxUses;
  return {
    id,
    state: revokedAt !== null ? 'revoked' : isUsed ? 'used' : expiresAt <= now ? 'expired' : 'active',
    uses,
    max_uses: maxUses,
    tags,
    created_at: toRfc3339(createdAt),
    created_by: createdBy,
    expires_at: toRfc3339(expiresAt),
  };
}
