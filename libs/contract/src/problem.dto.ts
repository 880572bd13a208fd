import { ApiProperty, ApiPropertyOptional } from './openapi.js';

/** One wrong field of a request. */
export class FieldErrorDto {
  @ApiProperty({ example: 'value' })
  field!: string;

  @ApiProperty({ example: 'must be a finite number, got "warm"' })
  reason!: string;
}

/** Every error answer: `application/problem+json`, RFC 9457. */
export class ProblemDto {
  @ApiProperty({
    description: 'A stable code, which docs/problems.md explains.',
    example: 'urn:device-metrics:problem:invalid-input',
  })
  type!: string;

  @ApiProperty({ example: 'Bad Request' })
  title!: string;

  @ApiProperty({ example: 400 })
  status!: number;

  @ApiProperty({
    description: 'What was received and what is allowed.',
    example: 'value must be a finite number, got "warm"',
  })
  detail!: string;

  @ApiPropertyOptional({ description: 'Each wrong field of invalid input.', type: [FieldErrorDto] })
  errors?: FieldErrorDto[];
}
