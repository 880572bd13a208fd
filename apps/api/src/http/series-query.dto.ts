import { ApiPropertyOptional } from '@device-metrics/contract/openapi';
import { Transform } from 'class-transformer';
import { Obeys, Optional, quote, type Rule } from '@device-metrics/contract';

/** A query parameter may be repeated; one is a list of one. */
export const Repeatable = (): PropertyDecorator =>
  Transform(({ value }) => {
    const given: unknown = value;
    return given === undefined || Array.isArray(given) ? given : [given];
  });

const names: Rule = (value) => {
  const given: unknown[] = Array.isArray(value) ? value : [value];
  const wrong = given.find((name) => typeof name !== 'string' || name.length === 0 || name.length > 255);
  return wrong === undefined
    ? undefined
    : `must be a name of 1 to 255 characters, in which * stands for any characters, got ${quote(wrong)}`;
};

const pairs =
  (example: string): Rule =>
  (value) => {
    const given: unknown[] = Array.isArray(value) ? value : [value];
    const wrong = given.find((pair) => typeof pair !== 'string' || pair.indexOf('=') < 1);
    return wrong === undefined ? undefined : `must be name=value as in ${example}, got ${quote(wrong)}`;
  };

/** Which series a call is about; a parameter that is left out does not restrict. */
export class SeriesQuery {
  @ApiPropertyOptional({
    description: 'Repeatable; `*` stands for any characters.',
    type: [String],
    example: ['lab-*'],
  })
  @Optional()
  @Repeatable()
  @Obeys(names)
  device_name?: string[];

  @ApiPropertyOptional({
    description: 'Repeatable; `*` stands for any characters.',
    type: [String],
    example: ['system.cpu.*'],
  })
  @Optional()
  @Repeatable()
  @Obeys(names)
  metric_name?: string[];

  @ApiPropertyOptional({
    description:
      'Repeatable, `name=value`: the series has all these labels; `*` in the value stands for any characters.',
    type: [String],
    example: ['cpu.logical_number=0'],
  })
  @Optional()
  @Repeatable()
  @Obeys(pairs('cpu=0'))
  label?: string[];
}

/** Which devices, and which series of them. */
export class FleetQuery extends SeriesQuery {
  @ApiPropertyOptional({
    description: 'Repeatable, `name=value`: the device has all these tags; `*` in the value stands for any characters.',
    type: [String],
    example: ['room=lab'],
  })
  @Optional()
  @Repeatable()
  @Obeys(pairs('room=lab'))
  tag?: string[];
}
