import { Obeys, Optional } from '@device-metrics/contract';
import { toRfc3339, wrong, type Labels, type Rule } from '@device-metrics/domain';
import type { Role, StoredUser } from '@device-metrics/storage';
import { ApiProperty, ApiPropertyOptional, TEXTS } from '@device-metrics/contract/openapi';
import { ETAG, entityTag } from '../../http/entity-tag.js';
import { nameRule, tagsRule } from '../rules.js';
import { timeText } from '../time-text.js';
import { passwordRule } from '../sessions/session.dto.js';

export const ROLES: readonly Role[] = ['viewer', 'editor', 'admin'];

export const roleRule: Rule = (value) =>
  ROLES.some((role) => role === value) ? undefined : wrong(`one of ${ROLES.join(', ')}`, value);

const MEANING = '`viewer` looks, `editor` changes devices and alerts, `admin` does everything.';
const TAGS = 'Only devices that have all these tags are there for the user.';

export class NewUserDto {
  @ApiProperty({ example: 'anna' })
  @Obeys(nameRule)
  name!: string;

  @ApiProperty({ enum: ROLES, example: 'viewer', description: MEANING })
  @Obeys(roleRule)
  role!: Role;

  @ApiPropertyOptional({
    ...TEXTS,
    nullable: true,
    example: { room: 'lab' },
    description: TAGS,
  })
  @Optional()
  @Obeys((value) => (value === null ? undefined : tagsRule(value)))
  tags?: Record<string, string> | null;

  @ApiProperty({ example: 'correct horse battery' })
  @Obeys(passwordRule)
  password!: string;
}

/** What is to change; what is left out stays. */
export class UserChangeDto {
  @ApiPropertyOptional({ enum: ROLES, example: 'editor', description: MEANING })
  @Optional()
  @Obeys(roleRule)
  role?: Role;

  @ApiPropertyOptional({
    ...TEXTS,
    nullable: true,
    example: null,
    description: `${TAGS} null: all are.`,
  })
  @Optional()
  @Obeys((value) => (value === null ? undefined : tagsRule(value)))
  tags?: Record<string, string> | null;

  @ApiPropertyOptional({ example: 'another horse battery', description: 'All sessions of the user end.' })
  @Optional()
  @Obeys(passwordRule)
  password?: string;

  @ApiPropertyOptional({ type: Boolean, example: false, description: 'false: no one-time password is asked any more.' })
  @Optional()
  @Obeys((value) => (value === false ? undefined : wrong('false', value)))
  totp?: false;
}

export class UserDto {
  @ApiProperty({ example: 'anna' })
  name!: string;

  @ApiProperty({ enum: ROLES, example: 'viewer' })
  role!: Role;

  @ApiProperty({ ...TEXTS, nullable: true, example: null })
  tags!: Labels | null;

  @ApiProperty({ example: false, description: 'Whether one-time passwords are asked for.' })
  totp!: boolean;

  @ApiProperty({ example: true, description: 'Whether they sign in by a password of this server.' })
  has_password!: boolean;

  @ApiProperty({ example: false, description: 'Whether they sign in by the OpenID provider.' })
  openid!: boolean;

  @ApiProperty({ example: '2026-01-15T10:00:00.000Z' })
  created_at!: string;

  @ApiProperty({ example: 'local' })
  created_by!: string;

  @ApiProperty({ type: String, nullable: true, example: null })
  last_sign_in_at!: string | null;

  @ApiProperty(ETAG)
  etag!: string;
}

export class UsersDto {
  @ApiProperty({ type: [UserDto] })
  users!: UserDto[];
}

export const userDto = (user: StoredUser): UserDto => ({
  name: user.name,
  role: user.role,
  tags: user.tags,
  totp: user.totp !== null,
  has_password: user.passwordHash !== null,
  openid: user.subject !== null,
  created_at: toRfc3339(user.createdAt),
  created_by: user.createdBy,
  last_sign_in_at: timeText(user.lastSignInAt),
  etag: userTag(user),
});

/** Of what admins say of a user. */
export const userTag = ({ id, role, tags, totp }: StoredUser): string => entityTag([id, role, tags, totp !== null]);
