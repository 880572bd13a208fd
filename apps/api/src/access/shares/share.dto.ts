import { Obeys, Optional } from '@device-metrics/contract';
import { ApiProperty, ApiPropertyOptional, TEXTS } from '@device-metrics/contract/openapi';
import { devicesRule, nameRule, pageRule, spanRule, tagsRule } from '../rules.js';
import { TokenDto } from '../tokens/token.dto.js';

export class NewShareDto {
  @ApiProperty({ example: 'for the janitor' })
  @Obeys(nameRule)
  name!: string;

  @ApiProperty({ example: '/devices/lab-pc-1', description: 'The page that it shows.' })
  @Obeys(pageRule)
  page!: string;

  @ApiPropertyOptional({ type: [String], example: ['lab-pc-1'], description: 'The devices that it shows.' })
  @Optional()
  @Obeys(devicesRule)
  devices?: string[];

  @ApiPropertyOptional({
    ...TEXTS,
    example: { room: 'lab' },
    description: 'The devices that it shows: those with all these tags.',
  })
  @Optional()
  @Obeys(tagsRule)
  tags?: Record<string, string>;

  @ApiPropertyOptional({ example: '30d', default: '30d', description: 'After which time it ends.' })
  @Optional()
  @Obeys(spanRule('10y', '30d'))
  expires_in?: string;
}

/** A link that shows some devices to whoever has it. */
export class ShareDto extends TokenDto {
  @ApiProperty({ example: '/devices/lab-pc-1' })
  page!: string;
}

export class MadeShareDto extends ShareDto {
  @ApiProperty({ example: '/share#dm_share_5f0c2d1a9b3e_…', description: 'Shown once.' })
  url!: string;
}

export class SharesDto {
  @ApiProperty({ type: [ShareDto] })
  shares!: ShareDto[];
}
