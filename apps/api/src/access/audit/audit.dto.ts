import { toRfc3339 } from '@device-metrics/domain';
import type { StoredAuditEntry } from '@device-metrics/storage';
import { ApiProperty, ApiPropertyOptional, TEXTS } from '@device-metrics/contract/openapi';

/** Something that was done, or tried. */
export class AuditEntryDto {
  @ApiProperty({ example: 17, description: 'Grows with every entry.' })
  id!: number;

  @ApiProperty({ example: '2026-01-15T10:00:00.000Z' })
  at!: string;

  @ApiProperty({ example: 'user anna', description: 'Who.' })
  actor!: string;

  @ApiProperty({ example: '192.0.2.7', description: 'From where: an IP address, or `command line`.' })
  address!: string;

  @ApiProperty({ example: 'token.create', description: 'What.' })
  action!: string;

  @ApiProperty({ example: 'telegraf', description: 'To what; empty where the action says enough.' })
  target!: string;

  @ApiProperty({ example: true })
  success!: boolean;

  @ApiProperty({ ...TEXTS, example: { kind: 'ingest' } })
  details!: Readonly<Record<string, string>>;
}

/** Entries, the newest first. */
export class AuditDto {
  @ApiProperty({ type: [AuditEntryDto] })
  entries!: AuditEntryDto[];

  @ApiPropertyOptional({ example: '17', description: 'For `cursor` of the next call; absent at the end.' })
  next_cursor?: string;
}

export const auditEntryDto = ({ at, ...entry }: StoredAuditEntry): AuditEntryDto => ({ ...entry, at: toRfc3339(at) });
