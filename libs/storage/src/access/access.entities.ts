import type { Labels } from '@device-metrics/domain';
import { Column, Entity, Index, PrimaryColumn, PrimaryGeneratedColumn, Unique } from 'typeorm';
import type {
  CollectorState,
  Role,
  StoredAuditEntry,
  StoredCollector,
  StoredInvitation,
  StoredSession,
  StoredToken,
  StoredUpdate,
  StoredUser,
  TokenKind,
} from './access-store.js';

const MS = 'integer';

@Entity('token')
export class TokenEntity implements StoredToken {
  @PrimaryColumn({ type: 'text' })
  id!: string;
  @Column({ type: 'text' })
  kind!: TokenKind;
  @Column({ type: 'text' })
  name!: string;
  @Column({ type: 'text' })
  hash!: string;
  @Column({ name: 'previous_hash', type: 'text', nullable: true })
  previousHash!: string | null;
  @Column({ name: 'previous_until', type: MS, nullable: true })
  previousUntil!: number | null;
  @Column({ type: 'simple-json', nullable: true })
  devices!: string[] | null;
  @Column({ type: 'simple-json', nullable: true })
  tags!: Labels | null;
  @Column({ type: 'text', nullable: true })
  page!: string | null;
  @Column({ name: 'collector_id', type: 'text', nullable: true })
  collectorId!: string | null;
  @Column({ name: 'created_at', type: MS })
  createdAt!: number;
  @Column({ name: 'created_by', type: 'text' })
  createdBy!: string;
  @Column({ name: 'rotated_at', type: MS, nullable: true })
  rotatedAt!: number | null;
  @Column({ name: 'expires_at', type: MS, nullable: true })
  expiresAt!: number | null;
  @Column({ name: 'revoked_at', type: MS, nullable: true })
  revokedAt!: number | null;
  @Column({ name: 'last_used_at', type: MS, nullable: true })
  lastUsedAt!: number | null;
}

@Entity('user')
@Unique('user_name', ['nameKey'])
@Unique('user_subject', ['subject'])
export class UserEntity implements StoredUser {
  @PrimaryColumn({ type: 'text' })
  id!: string;
  @Column({ type: 'text' })
  name!: string;
  /** The name in lower case. */
  @Column({ name: 'name_key', type: 'text' })
  nameKey!: string;
  @Column({ type: 'text' })
  role!: Role;
  @Column({ type: 'simple-json', nullable: true })
  tags!: Labels | null;
  @Column({ name: 'password_hash', type: 'text', nullable: true })
  passwordHash!: string | null;
  @Column({ type: 'text', nullable: true })
  totp!: string | null;
  @Column({ name: 'totp_step', type: 'integer', default: 0 })
  totpStep!: number;
  @Column({ type: 'text', nullable: true })
  subject!: string | null;
  @Column({ name: 'created_at', type: MS })
  createdAt!: number;
  @Column({ name: 'created_by', type: 'text' })
  createdBy!: string;
  @Column({ name: 'last_sign_in_at', type: MS, nullable: true })
  lastSignInAt!: number | null;
}

@Entity('session')
@Index('session_user', ['userId'])
export class SessionEntity implements StoredSession {
  @PrimaryColumn({ type: 'text' })
  id!: string;
  @Column({ name: 'user_id', type: 'text', nullable: true })
  userId!: string | null;
  @Column({ name: 'token_id', type: 'text', nullable: true })
  tokenId!: string | null;
  @Column({ name: 'created_at', type: MS })
  createdAt!: number;
  @Column({ name: 'seen_at', type: MS })
  seenAt!: number;
  @Column({ name: 'expires_at', type: MS })
  expiresAt!: number;
  @Column({ type: 'text' })
  address!: string;
}

@Entity('invitation')
@Unique('invitation_code', ['codeHash'])
export class InvitationEntity implements StoredInvitation {
  @PrimaryColumn({ type: 'text' })
  id!: string;
  @Column({ name: 'code_hash', type: 'text' })
  codeHash!: string;
  @Column({ type: 'integer' })
  uses!: number;
  @Column({ name: 'max_uses', type: 'integer' })
  maxUses!: number;
  @Column({ type: 'simple-json' })
  tags!: Labels;
  @Column({ name: 'created_at', type: MS })
  createdAt!: number;
  @Column({ name: 'created_by', type: 'text' })
  createdBy!: string;
  @Column({ name: 'expires_at', type: MS })
  expiresAt!: number;
  @Column({ name: 'revoked_at', type: MS, nullable: true })
  revokedAt!: number | null;
}

@Entity('collector')
export class CollectorEntity implements StoredCollector {
  @PrimaryColumn({ type: 'text' })
  id!: string;
  @Column({ type: 'text' })
  name!: string;
  @Column({ name: 'device_name', type: 'text' })
  deviceName!: string;
  @Column({ type: 'text' })
  state!: CollectorState;
  @Column({ type: 'simple-json' })
  tags!: Labels;
  @Column({ type: 'text' })
  version!: string;
  @Column({ type: 'text' })
  platform!: string;
  @Column({ type: 'text' })
  address!: string;
  @Column({ name: 'joined_at', type: MS })
  joinedAt!: number;
  @Column({ name: 'seen_at', type: MS })
  seenAt!: number;
}

/** Which device belongs to which collector. */
@Entity('collector_device')
@Index('collector_device_collector', ['collectorId'])
export class CollectorDeviceEntity {
  @PrimaryColumn({ name: 'device_name', type: 'text' })
  deviceName!: string;
  @Column({ name: 'collector_id', type: 'text' })
  collectorId!: string;
}

@Entity('collector_update')
export class CollectorUpdateEntity implements StoredUpdate {
  @PrimaryColumn({ name: 'collector_id', type: 'text' })
  collectorId!: string;
  @Column({ name: 'asked_at', type: MS })
  askedAt!: number;
  @Column({ type: 'text' })
  offered!: string;
  @Column({ name: 'offered_at', type: MS })
  offeredAt!: number;
  @Column({ type: 'text' })
  tried!: string;
  @Column({ type: 'text' })
  result!: StoredUpdate['result'];
  @Column({ type: 'text' })
  reason!: string;
  @Column({ name: 'tried_at', type: MS })
  triedAt!: number;
}

@Entity('audit')
export class AuditEntity implements StoredAuditEntry {
  @PrimaryGeneratedColumn()
  id!: number;
  @Column({ type: MS })
  at!: number;
  @Column({ type: 'text' })
  actor!: string;
  @Column({ type: 'text' })
  address!: string;
  @Column({ type: 'text' })
  action!: string;
  @Column({ type: 'text' })
  target!: string;
  @Column({ type: 'boolean' })
  success!: boolean;
  @Column({ type: 'simple-json' })
  details!: Record<string, string>;
}

export const accessEntities = [
  TokenEntity,
  UserEntity,
  SessionEntity,
  InvitationEntity,
  CollectorEntity,
  CollectorDeviceEntity,
  CollectorUpdateEntity,
  AuditEntity,
];
