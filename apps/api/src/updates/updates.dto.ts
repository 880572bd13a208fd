import { Obeys, Optional } from '@device-metrics/contract';
import { UNPRINTABLE, wrong, type Rule } from '@device-metrics/domain';
import { ApiProperty, ApiPropertyOptional } from '@device-metrics/contract/openapi';
import { PackageDto } from '../packages/packages.dto.js';

const RESULTS = ['updated', 'failed', 'refused'] as const;
const STATES = ['current', 'behind', 'waiting', 'under way', 'failed', 'refused'] as const;

const textOf =
  (most: number): Rule =>
  (value) =>
    typeof value === 'string' && value.length <= most && !UNPRINTABLE.test(value)
      ? undefined
      : wrong(`a string of at most ${most} printable characters`, value);

/** What a collector that may update itself says of itself. */
export class UpdateQuestionDto {
  @ApiProperty({ example: '0.1.0', description: 'That runs.' })
  @Obeys(textOf(64))
  version!: string;

  @ApiProperty({ example: 'linux x64' })
  @Obeys(textOf(64))
  platform!: string;

  @ApiPropertyOptional({ example: '0.2.0', description: 'The version that it has tried since it last asked.' })
  @Optional()
  @Obeys(textOf(64))
  tried?: string;

  @ApiPropertyOptional({
    enum: RESULTS,
    example: 'updated',
    description: '`failed`: it was started, and the version before goes on; `refused`: it was not started.',
  })
  @Optional()
  @Obeys((value) => (RESULTS.some((one) => one === value) ? undefined : wrong('updated, failed or refused', value)))
  result?: (typeof RESULTS)[number];

  @ApiPropertyOptional({ example: 'it ended at once, with 1', description: 'Of a result that is not `updated`.' })
  @Optional()
  @Obeys(textOf(1_000))
  reason?: string;
}

export class SignedPackageDto extends PackageDto {
  @ApiProperty({
    example: 'jCk…==',
    description: 'Ed25519, Base64, by the key whose public part the collector got when it joined.',
  })
  signature!: string;
}

export class UpdateAnswerDto {
  @ApiPropertyOptional({
    type: SignedPackageDto,
    description: 'What it may take now; left out: nothing.',
    example: {
      name: 'device-metrics-collector_0.2.0_linux_x64.tar.gz',
      version: '0.2.0',
      system: 'linux',
      architecture: 'x64',
      size: 36_000_000,
      sha256: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
      signature: 'jCk…==',
    },
  })
  package?: SignedPackageDto;

  @ApiProperty({ example: 'Others take 0.2.0 first: 0 of 12 have it, 1 are on their way.' })
  reason!: string;
}

/** The version of a collector that has joined. */
export class CollectorVersionDto {
  @ApiProperty({ example: 'lab-pc-1' })
  device_name!: string;

  @ApiProperty({ example: '0.1.0' })
  version!: string;

  @ApiProperty({ example: '0.2.0', description: 'That this api has for its platform; empty: none.' })
  newest!: string;

  @ApiProperty({ example: true, description: 'Whether it updates itself, by `update: auto`.' })
  automatic!: boolean;

  @ApiProperty({
    enum: STATES,
    example: 'waiting',
    description:
      '`behind`: somebody has to update it; `waiting`: it will update itself; `failed`: it went back to the version before; ' +
      '`refused`: it could not start the newer one, and tries again.',
  })
  state!: (typeof STATES)[number];

  @ApiProperty({ example: '', description: 'Of `failed` and `refused`.' })
  reason!: string;
}

/** How far a version has got among the collectors that update themselves. */
export class WaveDto {
  @ApiProperty({ example: '0.2.0' })
  version!: string;

  @ApiProperty({ example: 12, description: 'How many collectors take part.' })
  size!: number;

  @ApiProperty({ example: 2, description: 'How many may have it at this step: 1, then a tenth, then all.' })
  limit!: number;

  @ApiProperty({ example: 1 })
  updated!: number;

  @ApiProperty({ example: 1 })
  under_way!: number;

  @ApiProperty({
    example: '',
    description: 'The device whose collector went back, so that all others wait; empty: none.',
  })
  held_back_by!: string;
}

export class UpdatesDto {
  @ApiProperty({ type: [CollectorVersionDto] })
  collectors!: CollectorVersionDto[];

  @ApiProperty({ type: [WaveDto] })
  waves!: WaveDto[];
}
