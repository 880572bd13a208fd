import { Obeys, Optional } from '@device-metrics/contract';
import { ApiPropertyOptional } from '@device-metrics/contract/openapi';
import { pageRule } from '../rules.js';

export class BeginQuery {
  @ApiPropertyOptional({ example: '/devices/lab-pc-1', default: '/', description: 'Where to go once signed in.' })
  @Optional()
  @Obeys(pageRule)
  page?: string;
}
