import { Obeys, Optional } from '@device-metrics/contract';
import type { Labels, Rule } from '@device-metrics/domain';
import { ApiProperty, ApiPropertyOptional, TEXTS } from '@device-metrics/contract/openapi';
import { nameRule } from '../rules.js';

const short: Rule = (value) =>
  typeof value === 'string' && value.length <= 200 ? undefined : 'must be a string of at most 200 characters';

export const passwordRule: Rule = (value) =>
  typeof value === 'string' && value.length >= 10 && value.length <= 200
    ? undefined
    : 'must be a string of 10 to 200 characters';

const code: Rule = (value) =>
  typeof value === 'string' && /^\d{6}$/.test(value) ? undefined : 'must be a string of 6 digits';

export class SignInDto {
  @ApiPropertyOptional({ example: 'anna' })
  @Optional()
  @Obeys(short)
  name?: string;

  @ApiPropertyOptional({ example: 'correct horse battery' })
  @Optional()
  @Obeys(short)
  password?: string;

  @ApiPropertyOptional({ example: '123456', description: 'Of the app, where the user has one.' })
  @Optional()
  @Obeys(code)
  totp?: string;

  @ApiPropertyOptional({ example: 'dm_share_5f0c2d1a9b3e_…', description: 'In place of name and password.' })
  @Optional()
  @Obeys(short)
  token?: string;
}

export class FirstAdminDto {
  @ApiPropertyOptional({ example: 'Zk3…', description: 'Of the link in the log; not needed on the machine itself.' })
  @Optional()
  @Obeys(short)
  code?: string;

  @ApiProperty({ example: 'anna' })
  @Obeys(nameRule)
  name!: string;

  @ApiProperty({ example: 'correct horse battery' })
  @Obeys(passwordRule)
  password!: string;
}

export class PasswordChangeDto {
  @ApiProperty({ example: 'correct horse battery' })
  @Obeys(short)
  password!: string;

  @ApiProperty({ example: 'another horse battery' })
  @Obeys(passwordRule)
  new_password!: string;
}

export class PasswordDto {
  @ApiProperty({ example: 'correct horse battery', description: 'Of the user who asks.' })
  @Obeys(short)
  password!: string;
}

export class TotpCodeDto {
  @ApiProperty({ example: '123456' })
  @Obeys(code)
  code!: string;
}

export class TotpOfferDto {
  @ApiProperty({ example: 'JBSWY3DPEHPK3PXP', description: 'To type into the app.' })
  secret!: string;

  @ApiProperty({
    example: 'otpauth://totp/Device%20Metrics:anna?secret=JBSWY3DPEHPK3PXP',
    description: 'For a QR code.',
  })
  uri!: string;
}

export class CallerDto {
  @ApiProperty({ enum: ['local', 'user', 'token', 'share', 'collector'], example: 'user' })
  kind!: string;

  @ApiProperty({ example: 'anna' })
  name!: string;

  @ApiProperty({ type: String, nullable: true, enum: ['viewer', 'editor', 'admin'], example: 'viewer' })
  role!: string | null;

  @ApiProperty({ type: [String], example: ['reports:read'] })
  rights!: string[];

  @ApiProperty({ ...TEXTS, nullable: true, example: null })
  tags!: Labels | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: null,
    description: 'The page that a shared link shows; null for everybody else.',
  })
  page!: string | null;

  @ApiProperty({ type: String, nullable: true, example: null, description: 'When its token ends.' })
  expires_at!: string | null;
}

/** Who asks, and whether somebody has to sign in. */
export class SessionDto {
  @ApiProperty({ enum: ['none', 'required'], example: 'required' })
  sign_in!: 'none' | 'required';

  @ApiProperty({ example: false, description: 'Whether there is no user yet, and the first one can be made.' })
  first_user!: boolean;

  @ApiProperty({
    type: CallerDto,
    nullable: true,
    example: {
      kind: 'user',
      name: 'anna',
      role: 'viewer',
      rights: ['reports:read', 'server:read'],
      tags: null,
      page: null,
      expires_at: null,
    },
  })
  caller!: CallerDto | null;

  @ApiProperty({ example: false, description: 'Whether one-time passwords are asked of this user.' })
  totp!: boolean;

  @ApiProperty({ example: true, description: 'Whether this user signs in by a password of this server.' })
  has_password!: boolean;

  @ApiProperty({
    type: 'object',
    properties: { name: { type: 'string' } },
    nullable: true,
    example: null,
    description: 'How else to sign in.',
  })
  openid!: { name: string } | null;
}
