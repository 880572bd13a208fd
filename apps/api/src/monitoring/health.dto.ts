import { ApiProperty } from '@device-metrics/contract/openapi';

export class HealthDto {
  @ApiProperty({ example: 'ok' })
  status!: string;
}
