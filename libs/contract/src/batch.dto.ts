import { ApiProperty } from './openapi.js';

/** Why one item of a batch was not stored. */
export class RejectedItemDto {
  @ApiProperty({ description: 'Of the item in the batch, from 0.', example: 1 })
  index!: number;

  @ApiProperty({ description: 'The first wrong field; empty where the item is no object.', example: 'value' })
  field!: string;

  @ApiProperty({ example: 'must be a finite number, got "warm"' })
  reason!: string;
}

/** The answer to a batch of which at least one item is good. */
export class BatchResultDto {
  @ApiProperty({ description: 'How many items are on disk.', example: 2 })
  accepted!: number;

  @ApiProperty({ description: 'The items that were refused, in the order of the batch.', type: [RejectedItemDto] })
  rejected!: RejectedItemDto[];
}
