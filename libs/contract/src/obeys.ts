import { registerDecorator, ValidateIf } from 'class-validator';
import type { Rule } from './rules.js';

/** A class-validator decorator: the property obeys `rule`, and the error message is the reason that the rule gives. */
export function Obeys(rule: Rule): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name: 'obeys',
      target: target.constructor,
      propertyName: propertyName as string,
      validator: {
        validate: (value: unknown) => rule(value) === undefined,
        defaultMessage: (args) => rule(args?.value) ?? '',
      },
    });
  };
}

/** A property may be left out, but not be null: class-validator's IsOptional would let null pass. */
export const Optional = (): PropertyDecorator => ValidateIf((_object, value) => value !== undefined);
